"""What a library makes of a case: values, dtypes, shapes, strides, gradients, or the error. Plain data, so it can be
written to a golden file and compared."""

from __future__ import annotations

import math
from typing import Any

from samples import Case, tensors_of

EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52,
       "complex64": 2.0**-23, "complex128": 2.0**-52}


def describe(tensor: Any, strides: bool) -> dict:
    """dtype, shape, strides and values of one tensor."""
    name = str(tensor.dtype).removeprefix("torch.")
    flat = tensor.detach().reshape(-1).tolist()
    if tensor.is_complex():  # JSON has no complex numbers: real and imaginary parts in turn
        flat = [part for z in flat for part in (z.real, z.imag)]
    result = {"dtype": name, "shape": list(tensor.shape), "values": flat}
    if strides:
        result["stride"] = list(tensor.stride())
    return result


def cotangent(ns: Any, tensor: Any, k: int):
    """A fixed gradient for output k: distinct, of both signs, not symmetric."""
    n = tensor.numel()
    values = [math.cos(1.7 * i + k + 0.3) for i in range(n)]
    if tensor.is_complex():
        values = [complex(v, math.sin(1.1 * i + 0.2)) for i, v in enumerate(values)]
    return ns.tensor(values, dtype=tensor.dtype).reshape(tensor.shape)


def run(ns: Any, case: Case) -> dict:
    """The outcome of a case in library ns."""
    args, kwargs = case.build(ns)
    if case.error:
        before = [t.detach().clone() for t in tensors_of([args, kwargs])]
        try:
            case.call(ns, args, kwargs)
        except Exception as e:  # noqa: BLE001 - which exception it is, is the subject
            after = tensors_of([args, kwargs])
            unchanged = all(
                a.shape == b.shape and a.tolist() == b.tolist() for a, b in zip(before, after, strict=True)
            )
            return {"error": type(e).__name__, "bases": [c.__name__ for c in type(e).__mro__],
                    "message": str(e).split("\n")[0], "unchanged": unchanged}
        return {"error": None}

    value = case.call(ns, args, kwargs)
    result: dict = {"outputs": [describe(t, case.strides) for t in tensors_of(value)]}
    if not result["outputs"]:
        result["plain"] = value
    if case.grad:
        gradients = differentiate(ns, case)
        if gradients is not None:
            result |= gradients
    return result


def differentiate(ns: Any, case: Case) -> dict | None:
    """Gradients of all inputs for the fixed cotangents, and the name of the node."""
    args, kwargs = case.build(ns, requires_grad=True)
    inputs = [t for t in tensors_of([args, kwargs]) if t.requires_grad]
    if not inputs:
        return None
    outputs = [t for t in tensors_of(case.call(ns, args, kwargs)) if t.requires_grad]
    if not outputs:
        return {"grad_fn": None}
    cotangents = [cotangent(ns, t, k) for k, t in enumerate(outputs)]
    try:
        grads = ns.autograd.grad(outputs, inputs, cotangents, allow_unused=True)
    except Exception as e:  # noqa: BLE001 - an operator without a derivative says so
        return {"grad_fn": "error", "grads": [], "grad_error": type(e).__name__}
    return {
        "grad_fn": type(outputs[0].grad_fn).__name__,
        "grads": [None if g is None else describe(g, False) for g in grads],
    }


def close(actual: list, expected: list, dtype: str, ulp: float) -> str | None:
    """None when the values agree to `ulp` units in the last place, else the first difference.

    The unit is that of the larger of the expected value and the root mean square of all expected values times eps:
    sums and products cancel, so an absolute allowance at the scale of the result is part of the measure."""
    if len(actual) != len(expected):
        return f"{len(actual)} values instead of {len(expected)}"
    finite = [float(e) for e in expected if isinstance(e, (int, float)) and math.isfinite(e)]
    scale = math.sqrt(sum(e * e for e in finite) / len(finite)) if finite else 0.0
    eps = EPS.get(dtype, 0.0)
    for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
        if a == e or (isinstance(a, float) and isinstance(e, float) and math.isnan(a) and math.isnan(e)):
            continue
        if dtype in EPS and math.isfinite(a) and math.isfinite(e) and abs(a - e) <= ulp * eps * max(abs(e), scale):
            continue
        return f"element {i}: {a!r} instead of {e!r}"
    return None


def compare(actual: dict, expected: dict, case: Case) -> list[str]:
    """What differs between two outcomes, in words. Gradients may be four times as far from PyTorch's as results: they are
    sums of several rounded terms that cancel."""
    if case.error:
        if actual["error"] is None:
            return [f"no error; expected {expected['error']}: {expected['message']}"]
        wrong = []
        if expected["error"] not in actual["bases"]:
            wrong.append(f"{actual['error']} ({actual['message']}) instead of {expected['error']} ({expected['message']})")
        if not actual["unchanged"]:
            wrong.append("an input was changed")
        return wrong

    wrong = []
    if "plain" in expected and actual.get("plain") != expected["plain"]:
        wrong.append(f"{actual.get('plain')!r} instead of {expected['plain']!r}")
    if len(actual["outputs"]) != len(expected["outputs"]):
        return [f"{len(actual['outputs'])} outputs instead of {len(expected['outputs'])}"]
    pairs = [(f"output {i}", a, e) for i, (a, e) in enumerate(zip(actual["outputs"], expected["outputs"], strict=True))]
    if actual.get("grad_error") != expected.get("grad_error"):
        wrong.append(f"gradient: {actual.get('grad_error')} instead of {expected.get('grad_error')}")
    elif case.node and actual.get("grad_fn") != expected.get("grad_fn"):
        wrong.append(f"grad_fn {actual.get('grad_fn')} instead of {expected.get('grad_fn')}")
    if "grads" in expected and not wrong:
        for i, (a, e) in enumerate(zip(actual["grads"], expected["grads"], strict=True)):
            if (a is None) != (e is None):
                wrong.append(f"gradient {i}: {'None' if a is None else 'a tensor'} instead of {'None' if e is None else 'a tensor'}")
            elif a is not None:
                pairs.append((f"gradient {i}", a, e))
    for what, a, e in pairs:
        for key in ("dtype", "shape", "stride"):
            if a.get(key) != e.get(key):
                wrong.append(f"{what}: {key} {a.get(key)} instead of {e.get(key)}")
        difference = close(a["values"], e["values"], e["dtype"], case.ulp * (4 if what[0] == "g" else 1))
        if difference:
            wrong.append(f"{what}: {difference}")
    return wrong
