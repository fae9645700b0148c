"""Hunts for calls whose outcomes differ."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fuzz import compare, fuzzed_rows, make_call, run


def hunt(examples: int, seed: int, names: list[str]) -> None:
    """Prints every call whose outcomes differ, at most three of a row."""
    import torch

    import rushlight

    warnings.simplefilter("ignore")
    for name in names or fuzzed_rows():
        found = 0
        for i in range(examples):
            call = make_call(Random(f"{seed}/{name}/{i}"), name)
            if "-v" in sys.argv:
                print(call, flush=True)
            wrong = compare(call, run(rushlight, call), run(torch, call), ulp=8)
            if wrong:
                print(call, "\n   ", "\n    ".join(wrong), flush=True)
                found += 1
                if found == 3:
                    break


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "-v"]
    hunt(int(arguments[0]) if arguments else 50, int(arguments[1]) if len(arguments) > 1 else 0, arguments[2:])
