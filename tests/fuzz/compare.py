"""What differs between two outcomes of a call, in words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import outcome
from samples import COMPLEX, NUMPY_DTYPE

from .call import Call
from .draw import INTEGERS, Named
from .known import (
    FAULTS,
    LAYOUT,
    NO_COMPLEX_FACTOR,
    NO_DERIVATIVE,
    NO_HISTORY,
    NO_OVERLOAD,
    ONE_OF_EQUALS,
    OTHER_NODES,
    OVERLAPS,
    SUMS,
    UNINITIALISED,
    explained,
)

def error_difference(what: str, actual: dict | None, expected: dict | None) -> list[str]:
    if not actual and not expected:
        return []
    if what and not actual and any(text in expected["message"] for text in NO_DERIVATIVE):
        return []
    if not expected:
        return [f"{what}{actual['error']} ({actual['message']}) instead of success"]
    if not actual:
        return [f"{what}no error instead of {expected['error']} ({expected['message']})"]
    if expected["error"] not in actual["bases"]:
        return [f"{what}{actual['error']} ({actual['message']}) instead of {expected['error']} ({expected['message']})"]
    return []


def deliberate(call: Call, actual: dict | None, expected: dict | None) -> bool:
    """Whether this difference in errors is one of docs/differences.md."""
    if expected is not None and expected["error"] == "TypeError" and any(text in expected["message"] for text in NO_OVERLOAD):
        return True
    if actual is not None and (NO_COMPLEX_FACTOR in actual["message"] or any(isinstance(v, complex) for v in call.values.values())):
        return True  # numbers that may be complex are few
    if actual is not None and expected is not None:  # two faults: which is named first
        both = {actual["error"], expected["error"]}
        return both <= FAULTS or call.form == "out" and both <= FAULTS | {"TypeError"}
    if actual is None:
        # PyTorch has no kernel for some dtypes.
        if LAYOUT in expected["message"] or expected["error"] == "NotImplementedError" or empty(call):
            return True
        return call.form == "out" and any(t in expected["message"].lower() for t in ("type", "only supports", "non-boolean", "long tensor"))
    if call.form == "out" and "can't be cast" in actual["message"]:
        return True
    # Many of PyTorch's operators check dtypes and indices only where there are elements.
    return actual["message"].startswith(OVERLAPS) or empty(call)


def empty(call: Call) -> bool:
    """Whether a tensor of the call has no elements."""
    made = call.values.get("size", ()) if call.row.factory else ()
    return any(0 in x.shape for x in call.tensors()) or isinstance(made, tuple) and 0 in made


def finite(a: dict, e: dict) -> tuple[dict, dict]:
    """Both without the elements that are not finite in one of them."""
    keep = [i for i, (x, y) in enumerate(zip(a["values"], e["values"], strict=True)) if math.isfinite(x) and math.isfinite(y)]
    return tuple(d | {"values": [d["values"][i] for i in keep]} for d in (a, e))


def compare(call: Call, actual: dict, expected: dict, ulp: float) -> list[str]:
    """What differs, in words, less what is meant to differ."""
    return [w for w in difference(call, actual, expected, ulp) if not explained(call, w)]


def difference(call: Call, actual: dict, expected: dict, ulp: float) -> list[str]:
    """What differs, in words, whether on purpose or not."""
    name = call.row.c_name
    errors = [o if "error" in o else None for o in (actual, expected)]
    if any(errors):
        wrong = [] if deliberate(call, *errors) else error_difference("", *errors)
        if actual.get("unchanged") is False and "error" in actual:
            wrong.append("an input was changed by a call that failed")
        return wrong
    wrong = []
    if actual.get("unchanged") is False and expected.get("unchanged", True):
        wrong.append("an input was changed")
    if actual.get("self", True) != expected.get("self", True):
        wrong.append("the result is not the tensor itself")
    if "plain" in expected and actual.get("plain") != expected["plain"]:
        return [f"{actual.get('plain')!r} instead of {expected['plain']!r}"]
    if len(actual["outputs"]) != len(expected["outputs"]):
        return [f"{len(actual['outputs'])} outputs instead of {len(expected['outputs'])}"]
    wrong += error_difference("gradient: ", actual.get("grad_error"), expected.get("grad_error"))
    wrong += error_difference("second gradient: ", actual.get("second_error"), expected.get("second_error"))
    wrong += pairs(call, "output", actual["outputs"], expected["outputs"], ulp)
    if wrong or "grads" not in expected or "grads" not in actual or name in ONE_OF_EQUALS:
        return wrong
    if call.form == "inplace" and name in NO_HISTORY:
        return wrong
    nodes_differ = name in OTHER_NODES or f"complex {name}" in OTHER_NODES and any(x.dtype in COMPLEX for x in call.tensors())
    if not nodes_differ and [n.rstrip("0123456789") for n in actual.get("node", [])] != [n.rstrip("0123456789") for n in expected.get("node", [])]:
        wrong.append(f"node {actual.get('node')} instead of {expected.get('node')}")
    special = any(x.kind == "special" for x in call.tensors())
    nothing = empty(call)  # a mean over nothing is nan, its derivative 0 or nan
    for key, factor in (("grads", 8), ("second", 64)):
        a, e = actual.get(key), expected.get(key)
        if key == "second" and special:
            continue
        if (special or nothing) and isinstance(a, list) and isinstance(e, list) and len(a) == len(e):
            both = [finite(x, y) if x and y and x["shape"] == y["shape"] else (x, y) for x, y in zip(a, e, strict=True)]
            a, e = [x for x, _ in both], [y for _, y in both]
        if isinstance(a, list) and isinstance(e, list):
            wrong += pairs(call, key, a, e, factor * ulp)
        elif a != e and not (key == "second" and zero(a) and zero(e)):
            wrong.append(f"{key}: {str(a)[:40]} instead of {str(e)[:40]}")
    return wrong


def zero(grads: Any) -> bool:
    """Whether second gradients are absent or all zero."""
    return grads in (None, "none") or all(v == 0 for g in grads for v in g["values"])


def pairs(call: Call, what: str, actual: list, expected: list, ulp: float) -> list[str]:
    wrong = []
    for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
        if a is None or e is None:
            if a is not e:
                wrong.append(f"{what} {i}: {'None' if a is None else 'a tensor'} instead of {'None' if e is None else 'a tensor'}")
            continue
        if i and call.row.c_name in ONE_OF_EQUALS:
            continue
        for key in ("dtype", "shape", "stride"):
            a_key, e_key = a.get(key), e.get(key)
            if key == "stride" and call.form == "out":
                continue
            if key == "stride" and e_key and a["shape"] == e["shape"]:
                # Nothing is reached by the strides of an empty tensor or of a dim of size 1.
                moves = [i for i, n in enumerate(e["shape"]) if n != 1 and 0 not in e["shape"]]
                a_key, e_key = [a_key[i] for i in moves], [e_key[i] for i in moves]
            if a_key != e_key:
                wrong.append(f"{what} {i}: {key} {a.get(key)} instead of {e.get(key)}")
        if call.row.c_name in UNINITIALISED or wrong:
            continue
        if wraps_around(call):
            continue
        if empty(call) or any(x.dtype in COMPLEX and x.kind == "special" for x in call.tensors()):
            a, e = finite(a, e)  # which part of a complex number becomes nan depends on the formula
        # Gradients are measured against the cotangents, which are of size one: 1 - tanh(x)^2 cancels.
        unit = [] if what == "output" else [math.sqrt(len(e["values"]))]
        if call.row.c_name in SUMS and what == "output":
            many = max([math.prod(x.shape) for x in call.tensors()], default=1)
            unit = [(100.0 if any(x.kind == "large" for x in call.tensors()) else 1.0) * max(many, 1) ** 0.5]
        different = outcome.close(a["values"] + unit, e["values"] + unit, coarsest(call, e["dtype"]), ulp)
        if different:
            wrong.append(f"{what} {i}: {different}")
    return wrong


def wraps_around(call: Call) -> bool:
    """Whether a number stands beside integers that cannot hold it: what is made of it is the C compiler's choice."""
    limits = [np.iinfo(NUMPY_DTYPE[x.dtype]) for x in call.tensors() if x.dtype in INTEGERS]
    limits += [np.iinfo(NUMPY_DTYPE[v.name]) for v in call.values.values()
               if isinstance(v, Named) and v.name in INTEGERS]
    numbers = [v for v in call.values.values() if isinstance(v, (int, float)) and not isinstance(v, bool)]
    return any(not lim.min <= v <= lim.max for lim in limits for v in numbers)


def coarsest(call: Call, dtype: str) -> str:
    """The least exact floating dtype in the call: the precision of what was computed, however wide the result."""
    dtypes = [dtype, *(x.dtype for x in call.tensors()), *(v.name for v in call.values.values() if isinstance(v, Named))]
    return max(dtypes, key=lambda d: outcome.EPS.get(d, 0.0))
