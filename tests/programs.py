"""Small programs of either library around training; what PyTorch makes of them: tests/programs.json.

    python tests/programs.py        writes tests/programs.json; needs torch==2.13.0

A program takes the library and returns numbers, names and texts; the files programs_*.py hold them. Inputs are uniform
random numbers, which are the same bits in both libraries for a seed.
"""

import importlib
import json
import warnings
from pathlib import Path

HERE = Path(__file__).parent
GOLDEN = HERE / "programs.json"
PROGRAMS = {}


def program(f):
    PROGRAMS[f.__name__] = f
    return f


def programs(*options):
    """One program per choice of options: f(t, option)."""

    def register(f):
        for i, option in enumerate(options):
            PROGRAMS[f"{f.__name__} {i}"] = lambda t, option=option: f(t, option)
        return f

    return register


def collect():
    """All programs, by name."""
    for file in sorted(HERE.glob("programs_*.py")):
        importlib.import_module(file.stem)
    return PROGRAMS


def plain(x):
    """Tensors as numbers; names of rushlight as PyTorch's."""
    if hasattr(x, "detach"):
        x = x.detach()
        return (x.float() if x.is_floating_point() and x.element_size() < 4 else x).tolist()
    if isinstance(x, dict):
        return {str(k): plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if isinstance(x, (int, float, bool, type(None))):
        return x
    return str(x).replace("rushlight", "torch")


def run(t, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return json.loads(json.dumps(plain(PROGRAMS[name](t))))


def fails(call):
    """The exception's type and text."""
    try:
        return f"no error: {call()}"
    except Exception as e:  # noqa: BLE001
        return f"{type(e).__name__}: {e}"


def uniform(t, *shape):
    """In [-2, 2)."""
    return (t.rand(shape) - 0.5) * 4


def main():
    import torch

    import programs

    if not torch.__version__.startswith("2.13.0"):
        raise SystemExit(f"golden values come from PyTorch 2.13.0, this is {torch.__version__}")
    torch.set_num_threads(1)
    lines = [f'"{name}": {json.dumps(programs.run(torch, name))}' for name in programs.collect()]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
