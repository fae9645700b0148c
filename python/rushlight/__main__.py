"""python -m rushlight [-m module | script.py | -c code] args: runs a program whose torch is rushlight."""

import os
import runpy
import sys

from rushlight._as_torch import install_as_torch

USAGE = """usage: python -m rushlight [-m module | -c code | script.py] [arguments]

Runs a Python program in which `import torch` means rushlight."""


def main() -> int:
    """Runs what the command line names."""
    args = sys.argv[1:]
    if not args or args[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if args else 2
    if args[0] in ("-V", "--version"):
        import rushlight

        print(f"rushlight {rushlight.__version__}")
        return 0
    install_as_torch()
    if args[0] == "-m":
        if len(args) < 2:
            print(USAGE, file=sys.stderr)
            return 2
        sys.argv = args[1:]
        runpy.run_module(args[1], run_name="__main__", alter_sys=True)
    elif args[0] == "-c":
        if len(args) < 2:
            print(USAGE, file=sys.stderr)
            return 2
        sys.argv = ["-c", *args[2:]]
        exec(compile(args[1], "<string>", "exec"), {"__name__": "__main__"})
    elif args[0].startswith("-"):
        print(f"unknown option {args[0]}\n{USAGE}", file=sys.stderr)
        return 2
    else:
        if not os.path.exists(args[0]):
            print(f"python -m rushlight: can't open file '{args[0]}'", file=sys.stderr)
            return 2
        sys.argv = args
        sys.path[0] = os.path.dirname(os.path.abspath(args[0]))
        runpy.run_path(args[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
