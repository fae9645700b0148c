"""What a library makes of a call: values, gradients, second gradients, or the error."""

from __future__ import annotations

from typing import Any

import outcome
from samples import tensors_of

from .call import Call

def describe_error(error: Exception) -> dict:
    return {"error": type(error).__name__, "bases": [c.__name__ for c in type(error).__mro__],
            "message": str(error).split("\n")[0]}


def run(ns: Any, call: Call) -> dict:
    """The outcome in library ns."""
    values = call.build(ns)
    tensors = tensors_of(list(values.values()))
    before = [(t.shape, t.stride(), t.tolist()) for t in tensors]
    ns.manual_seed(3)
    try:
        value = call.invoke(ns, values)
    except Exception as e:  # noqa: BLE001 - which exception it is, is the subject
        unchanged = all(repr((t.shape, t.stride(), t.tolist())) == repr(b) for t, b in zip(tensors, before, strict=True))
        return describe_error(e) | {"unchanged": unchanged}
    result: dict = {"outputs": [outcome.describe(t, True) for t in tensors_of(value)]}
    if call.form != "inplace":
        result["unchanged"] = all(repr((t.shape, t.stride(), t.tolist())) == repr(b) for t, b in zip(tensors, before, strict=True))
    else:
        result["self"] = value is values[call.row.params[call.row.self_index].name]
    if not result["outputs"]:
        result["plain"] = value
    if call.form != "out":
        result |= differentiate(ns, call)
    return result


def differentiate(ns: Any, call: Call) -> dict:
    """First and second derivatives for fixed cotangents, or what they raise."""
    values = call.build(ns, grad=True)
    inputs = [t for t in tensors_of(list(values.values())) if t.requires_grad]
    if not inputs:
        return {}
    if call.form == "inplace":
        name = call.row.params[call.row.self_index].name
        values[name] = values[name] * 1
    ns.manual_seed(3)
    try:
        outputs = [t for t in tensors_of(call.invoke(ns, values)) if t.requires_grad]
        if not outputs:
            return {"grads": "none"}
        result: dict = {"node": [type(t.grad_fn).__name__ for t in outputs]}
        cotangents = [outcome.cotangent(ns, t, k).requires_grad_() for k, t in enumerate(outputs)]
        grads = ns.autograd.grad(outputs, inputs, cotangents, allow_unused=True, create_graph=True)
    except Exception as e:  # noqa: BLE001
        return {"grad_error": describe_error(e)}
    result["grads"] = [None if g is None else outcome.describe(dense(ns, g), False) for g in grads]
    second = [(k, g) for k, g in enumerate(grads) if g is not None and g.requires_grad]
    if not second:
        return result | {"second": "none"}
    try:
        cotangents2 = [outcome.cotangent(ns, g, k + 5) for k, g in second]
        grads2 = ns.autograd.grad([g for _, g in second], [*inputs, *cotangents], cotangents2, allow_unused=True)
    except Exception as e:  # noqa: BLE001
        return result | {"second_error": describe_error(e)}
    # A gradient that is not there is zero: which of the two is a matter of how the formula was written.
    result["second"] = [outcome.describe(ns.zeros_like(t) if g is None else dense(ns, g), False)
                        for g, t in zip(grads2, [*inputs, *cotangents], strict=True)]
    return result


def dense(ns: Any, tensor: Any) -> Any:
    """The same values with memory: PyTorch has zeros without any."""
    return tensor.detach() + ns.zeros(tensor.shape, dtype=tensor.dtype)
