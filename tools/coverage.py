"""Writes docs/coverage.md: which public names of PyTorch 2.13 rushlight has, lacks, or leaves out on purpose.

    python tools/coverage.py            needs torch==2.13.0 and an installed rushlight
    python tools/coverage.py --missing  only prints what is missing

What is left out, and why, stands in tools/coverage_left_out.toml: a list of patterns per reason.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPACES = (
    "torch", "torch.Tensor", "torch.autograd", "torch.autograd.functional", "torch.autograd.graph",
    "torch.autograd.profiler", "torch.func", "torch.linalg", "torch.special", "torch.fft", "torch.nn", "torch.nn.modules.*",
    "torch.nn.functional", "torch.nn.init", "torch.nn.attention", "torch.nn.parallel", "torch.nn.utils", "torch.nn.utils.rnn",
    "torch.nn.utils.parametrize", "torch.nn.utils.parametrizations", "torch.nn.utils.prune", "torch.nn.utils.fusion",
    "torch.nn.utils.stateless", "torch.optim", "torch.optim.lr_scheduler", "torch.optim.swa_utils", "torch.utils.data",
    "torch.utils.checkpoint", "torch.utils.benchmark", "torch.utils.tensorboard", "torch.distributions",
    "torch.distributions.constraints", "torch.distributions.transforms", "torch.distributions.kl",
    "torch.distributions.constraint_registry", "torch.amp", "torch.profiler", "torch.random", "torch.serialization",
    "torch.signal.windows", "torch.jit", "torch.overrides", "torch.testing",
)


# Packages whose modules are namespaces too: a missing one needs a reason.
PACKAGES = ("torch", "torch.autograd", "torch.nn", "torch.optim", "torch.utils")
# Where PyTorch itself cannot be asked: this one wants tensorboard installed.
KNOWN = {"torch.utils.tensorboard": ["FileWriter", "SummaryWriter"]}


def find(root: str, space: str):
    """The object called `space` (torch.nn.init) below the package `root`, or None."""
    path = space.split(".")[1:]
    for cut in range(len(path), -1, -1):
        try:
            value = importlib.import_module(".".join([root, *path[:cut]]))
        except ImportError:
            continue
        for name in path[cut:]:
            value = getattr(value, name, None)
        return value
    return None


def public(space: str, home) -> list[str]:
    """Names a user may reach for: those of __all__, or all without an underscore but for modules and imports."""
    names = []
    for name in sorted(set(getattr(home, "__all__", None) or dir(home))):
        if name.startswith("_"):
            continue
        try:
            value = getattr(home, name)
        except Exception:  # noqa: BLE001 - attributes of a class may refuse
            value = None
        module = getattr(value, "__module__", None) or "torch"
        if inspect.ismodule(value) or not module.startswith("torch"):
            continue
        if space == "torch" and inspect.isclass(value) and re.search("Storage$|Type$", name):
            continue
        names.append(name)
    return names


def layers(root: str) -> dict[str, object]:
    """file.name -> object, of the public classes and functions of torch.nn.modules' files."""
    result = {}
    home = importlib.import_module("torch.nn.modules")
    for file in sorted(m.name for m in pkgutil.iter_modules(home.__path__) if not m.name.startswith("_")):
        theirs = importlib.import_module(f"torch.nn.modules.{file}")
        here = find(root, f"torch.nn.modules.{file}")
        for name in sorted(set(getattr(theirs, "__all__", None) or vars(theirs))):
            if getattr(getattr(theirs, name), "__module__", None) != theirs.__name__ or name.startswith("_"):
                continue
            if hasattr(here, name):
                result[f"{file}.{name}"] = getattr(here, name)
    return result


def packages() -> tuple[list[str], list[tuple[str, str]]]:
    """(missing, left out with reasons): PyTorch's modules that cannot be imported here."""
    reasons = left_out("namespace")
    missing, out = [], []
    for package in PACKAGES:
        for m in pkgutil.iter_modules(importlib.import_module(package).__path__):
            full = f"{package}.{m.name}"
            reason = next((why for pattern, why in reasons if pattern.match(full)), None)
            if m.name.startswith("_"):
                continue
            if reason:
                out.append((full, reason))
            elif find("rushlight", full) is None:
                missing.append(full)
    return missing, out


def left_out(kind: str = "group") -> list[tuple[re.Pattern, str]]:
    """(pattern of full names, reason), from the committed list."""
    table = tomllib.loads((ROOT / "tools/coverage_left_out.toml").read_text())
    return [(re.compile(p + r"\Z"), group["reason"]) for group in table[kind] for p in group["names"]]


def survey() -> dict[str, dict[str, list]]:
    """Per namespace: present, missing, and left out with reasons."""
    reasons = left_out()
    result = {}
    for space in SPACES:
        if space == "torch.nn.modules.*":
            names, ours = list(layers("torch")), layers("rushlight")
        else:
            names = KNOWN[space] if space in KNOWN else public(space, find("torch", space))
            home = find("rushlight", space)
            ours = {name for name in names if home is not None and hasattr(home, name)}
        row: dict[str, list] = {"present": [], "missing": [], "out": []}
        for name in names:
            reason = next((why for pattern, why in reasons if pattern.match(f"{space}.{name}")), None)
            if name in ours:
                row["present"].append(name)
            elif reason:
                row["out"].append((name, reason))
            else:
                row["missing"].append(name)
        result[space] = row
    return result


def write(result: dict) -> str:
    lines = [
        "# Coverage of PyTorch's API",
        "",
        "Generated by `tools/coverage.py` from PyTorch 2.13 and rushlight as built; do not edit. A name counts as present",
        "when it can be reached; what it does is the tests' subject.",
        "",
        "| namespace | present | missing | left out on purpose |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [f"| `{s}` | {len(r['present'])} | {len(r['missing'])} | {len(r['out'])} |" for s, r in result.items()]
    missing, out = packages()
    lines += ["", "## Namespaces", ""]
    if missing:
        lines += ["Missing: " + ", ".join(f"`{n}`" for n in missing) + ".", ""]
    for reason in dict.fromkeys(why for _, why in out):
        names = [n for n, why in out if why == reason]
        lines += [f"Left out ({reason}): " + ", ".join(f"`{n}`" for n in names) + ".", ""]
    for space, row in result.items():
        lines += ["", f"## {space}", ""]
        for title, names in (("Present", row["present"]), ("Missing", row["missing"])):
            if names:
                lines += [f"{title}: " + ", ".join(f"`{n}`" for n in names) + ".", ""]
        for reason in dict.fromkeys(why for _, why in row["out"]):
            names = [n for n, why in row["out"] if why == reason]
            lines += [f"Left out ({reason}): " + ", ".join(f"`{n}`" for n in names) + ".", ""]
    return re.sub("\n\n\n+", "\n\n", "\n".join(lines).rstrip() + "\n")


def main() -> None:
    result = survey()
    if "--missing" in sys.argv:
        print("namespaces:", *packages()[0])
        for space, row in result.items():
            print(f"{space} ({len(row['missing'])}): {' '.join(row['missing'])}")
        return
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs/coverage.md").write_text(write(result))


if __name__ == "__main__":
    main()
