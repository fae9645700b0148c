"""Tensors to print, and what PyTorch prints for them.

python tests/printing.py        writes golden/text/printing.json; needs torch==2.13.0
"""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "golden" / "text" / "printing.json"
DTYPES = (
    "float32",
    "float64",
    "float16",
    "bfloat16",
    "int8",
    "uint8",
    "int16",
    "int32",
    "int64",
    "bool",
)
DEFAULT = {"profile": "default", "sci_mode": None}


def numbers(kind: str, n: int, rng: random.Random) -> list[float]:
    """n values of a kind that calls for one of the notations."""
    if kind == "whole":
        scale = rng.choice([1, 10, 1000, 1e9])
        return [float(round(rng.gauss(0, 1) * scale)) for _ in range(n)]
    if kind == "wide":
        return [rng.gauss(0, 1) * math.exp(5 * rng.gauss(0, 1)) for _ in range(n)]
    if kind == "big":
        scale = 10.0 ** rng.randint(0, 12)
        return [rng.gauss(0, 1) * scale for _ in range(n)]
    if kind == "small":
        scale = 10.0 ** -rng.randint(0, 12)
        return [rng.gauss(0, 1) * scale for _ in range(n)]
    values = [rng.gauss(0, 1) for _ in range(n)]
    if kind == "special":
        for special in (0.0, -0.0, math.nan, math.inf, -math.inf):
            if n and rng.random() < 0.5:
                values[rng.randrange(n)] = special
    return values


def make(ns: Any, values: list[float], shape: list[int], dtype: str):
    """The values as a tensor of library ns; integers are the values rounded into the dtype's range."""
    if not dtype.startswith(("float", "bfloat")):
        limit = {
            "int8": 127,
            "uint8": 255,
            "int16": 32767,
            "int32": 2**31 - 1,
            "int64": 2**50,
            "bool": 1,
        }[dtype]
        finite = [v if math.isfinite(v) else 0.0 for v in values]
        values = [
            int(max(0 if dtype in ("uint8", "bool") else -limit, min(limit, v))) for v in finite
        ]
    return ns.tensor(values, dtype=getattr(ns, dtype)).reshape(shape)


def draw(rng: random.Random) -> dict:
    """One random tensor and the options to print it with."""
    shape = [rng.choice([1, 2, 3, 5, 7, 8, 13, 40]) for _ in range(rng.choice([0, 1, 1, 2, 2]))]
    if rng.random() < 0.15:
        shape = [rng.choice([1, 2, 3, 4]) for _ in range(rng.choice([3, 4]))]
    if rng.random() < 0.1:
        shape = [rng.choice([0, 1, 2, 3]) for _ in range(rng.choice([1, 2, 3]))]
    options = dict(DEFAULT)
    if rng.random() < 0.5:
        options["profile"] = rng.choice(["default", "short", "full"])
        options["sci_mode"] = rng.choice([None, None, True, False])
        extra = {
            "precision": [0, 1, 2, 6, 10],
            "linewidth": [1, 20, 60, 120],
            "threshold": [0, 5, 100],
            "edgeitems": [1, 2, 5],
        }
        for name, choices in extra.items():
            if rng.random() < 0.3:
                options[name] = rng.choice(choices)
    kind = rng.choice(["whole", "plain", "wide", "big", "small", "special"])
    return {
        "values": [float(f"{v:.6g}") for v in numbers(kind, math.prod(shape), rng)],
        "shape": shape,
        "dtype": rng.choice(DTYPES),
        "options": options,
        "grad": rng.choice(["", "", "leaf", "node"]),
    }


def text(ns: Any, case: dict) -> str:
    """What library ns prints for a case."""
    values = case.get("values")
    if values is None:  # start and step, of the large ones
        start, step = case["steps"]
        values = [start + step * i for i in range(math.prod(case["shape"]))]
    tensor = make(ns, values, case["shape"], case["dtype"])
    if case["grad"] and tensor.is_floating_point():
        tensor.requires_grad_()
        if case["grad"] == "node":
            tensor = tensor.unsqueeze(0)
    ns.set_printoptions(**case["options"])
    try:
        return repr(tensor)
    finally:
        ns.set_printoptions(**DEFAULT)


def special_cases() -> list[dict]:
    """Cases that a draw may miss: summaries of large tensors, and the shapes of the document."""
    shapes = ([1001], [600, 2], [2, 600], [10, 20, 20], [1000])
    large = [{"steps": [-200.0, 0.37], "shape": shape} for shape in shapes]
    small = [
        {"values": [], "shape": [0]},
        {"values": [], "shape": [0, 3]},
        {"values": [2.5], "shape": []},
        {"values": [i / 7 - 1 for i in range(20)], "shape": [2, 10]},
        {"values": [1e-5], "shape": [1]},
        {"values": [1.0, 1000.0], "shape": [2]},
        {"values": [1.0, 1001.0], "shape": [2]},
    ]
    cases = []
    for dtype in ("float32", "int64", "float64"):
        for grad in ("", "node"):
            cases += [
                {**c, "dtype": dtype, "options": dict(DEFAULT), "grad": grad} for c in large + small
            ]
    return cases


def main() -> None:
    import torch

    rng = random.Random(2024)
    cases = special_cases() + [draw(rng) for _ in range(160)]
    lines = [json.dumps({**case, "text": text(torch, case)}) for case in cases]
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{GOLDEN.name}: {len(cases)} cases")


if __name__ == "__main__":
    main()
