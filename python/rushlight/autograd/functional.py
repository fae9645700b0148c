"""jacobian, hessian, vjp, jvp, vhp and hvp of Python functions of tensors, by reverse mode."""

from collections.abc import Callable
from typing import Any

from rushlight import _C
from rushlight._C import Tensor
from rushlight.autograd import grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _as_tuple(x: Any, what: str, function: str) -> tuple[bool, tuple]:
    """(was it a tuple, the tuple)."""
    was = isinstance(x, tuple)
    items = x if was else (x,)
    for i, item in enumerate(items):
        if isinstance(item, Tensor):
            continue
        if was:
            raise TypeError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but the value at index "
                f"{i} has type {type(item)}."
            )
        raise TypeError(
            f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but the given {what} has type "
            f"{type(item)}."
        )
    return was, items


def _prepare(inputs: tuple, create_graph: bool) -> tuple:
    """Fresh tensors that require gradients, joined to the inputs' graph when that is to be differentiated too."""
    if create_graph:
        return tuple(
            x.view_as(x) if x.requires_grad else x.detach().requires_grad_() for x in inputs
        )
    return tuple(x.detach().requires_grad_() for x in inputs)


def _finish(tensors: Any, create_graph: bool) -> Any:
    """Out of the graph unless it is wanted."""
    if isinstance(tensors, Tensor):
        return tensors if create_graph else tensors.detach()
    return tuple(_finish(t, create_graph) for t in tensors)


def _outputs(func: Callable, inputs: tuple, function: str, strict: bool) -> tuple[bool, tuple]:
    was, outputs = _as_tuple(func(*inputs), "outputs of the user-provided function", function)
    for i, y in enumerate(outputs):
        if strict and not y.requires_grad:
            raise RuntimeError(
                f"Output {i} of the user-provided function does not require gradients. The outputs must be computed in a "
                "differentiable manner from the input when running in strict mode."
            )
    return was, outputs


def _gradients(
    outputs: tuple, inputs: tuple, v: tuple | None, create_graph: bool, strict: str = ""
) -> tuple:
    """grad with zeros where nothing flows; outputs without history count as constants.

    strict: what to call the outputs in the error of an input without influence; "": that is no error.
    """
    pairs = [(y, None if v is None else v[i]) for i, y in enumerate(outputs) if y.requires_grad]
    if not pairs:
        return tuple(_C.zeros_like(x) for x in inputs)
    ys, vs = zip(*pairs, strict=True)
    grads = grad(ys, inputs, vs, create_graph=create_graph, retain_graph=True, allow_unused=True)
    for i, g in enumerate(grads):
        if strict and g is None:
            raise RuntimeError(
                f"{strict} of the user-provided function is independent of input {i}. This is not allowed in strict mode."
            )
    return tuple(_C.zeros_like(x) if g is None else g for g, x in zip(grads, inputs, strict=True))


def _check_second(gradients: Any) -> None:
    """Strict mode: the error of a first derivative that does not depend on the inputs."""
    for i, g in enumerate(gradients):
        if not g.requires_grad:
            raise RuntimeError(
                "While computing the hessian, found that the jacobian of the user-provided function with respect to "
                f"input {i} is independent of the input. This is not allowed in strict mode. You should ensure that "
                "your function is twice differentiable and that the jacobian depends on the inputs (this would be "
                "violated by a linear function for example)."
            )


def _check_v(v: Any, others: tuple, was: bool, function: str) -> tuple:
    _, v = _as_tuple(v, "v", function)
    if len(v) != len(others):
        if was:
            raise RuntimeError(
                f"v is a tuple of invalid length: should be {len(others)} but got {len(v)}."
            )
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (a, b) in enumerate(zip(v, others, strict=True)):
        if a.shape != b.shape:
            prefix = f"Entry {i} in " if was else ""
            raise RuntimeError(
                f"{prefix}v has invalid size: should be {b.shape} but got {a.shape}."
            )
    return tuple(x.detach() if not x.requires_grad else x for x in v)


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """d func(inputs) / d inputs.

    A tensor of shape output.shape + input.shape; a tuple for several inputs, of tuples for several outputs.
    strict: an output that does not depend on an input is an error. vectorize is accepted and changes nothing; with
    it, strategy may be "forward-mode", which gives the same values.
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
            'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode" and create_graph:
        raise NotImplementedError(
            'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported '
            'together (yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.'
        )
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is"
            "only implemented for `vectorize=True`."
        )
    if strict and vectorize:
        raise RuntimeError(
            "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. "
            "Please either set `strict=False` or `vectorize=False`."
        )
    with _C.enable_grad():
        many_inputs, inputs = _as_tuple(inputs, "inputs", "jacobian")
        inputs = _prepare(inputs, create_graph)
        many_outputs, outputs = _outputs(func, inputs, "jacobian", strict)
        result = []
        for o, y in enumerate(outputs):
            name = f"Output {o}" if strict else ""
            rows: list[list[Tensor]] = [[] for _ in inputs]
            flat = y.reshape(-1)
            for k in range(flat.numel()):
                for row, g in zip(
                    rows, _gradients((flat[k],), inputs, None, create_graph, name), strict=True
                ):
                    row.append(g)
            result.append(
                tuple(
                    _C.stack(row).reshape(tuple(y.shape) + tuple(x.shape)) if row
                    else _C.zeros(tuple(y.shape) + tuple(x.shape), dtype=x.dtype)
                    for row, x in zip(rows, inputs, strict=True)
                )
            )  # fmt: skip
        result = _finish(tuple(result), create_graph)
        result = tuple(r if many_inputs else r[0] for r in result)
        return result if many_outputs else result[0]


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Second derivatives of a function with one number as its result.

    A tensor of shape input.shape + input.shape; for several inputs, a tuple of tuples of such blocks.
    """
    many, _ = _as_tuple(inputs, "inputs", "hessian")

    def first(*xs: Tensor) -> Any:
        output = func(*xs)
        _single(output, "hessian")
        _outputs(lambda: output, (), "hessian", strict)
        result = _gradients((output,), xs, None, True)
        if strict:
            _check_second(result)
        return result if many else result[0]

    return jacobian(
        first,
        inputs,
        create_graph=create_graph,
        strict=strict,
        vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )


def _single(output: Any, function: str) -> None:
    was, outputs = _as_tuple(output, "outputs of the user-provided function", function)
    if was or len(outputs) != 1:
        raise RuntimeError(f"The function given to {function} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {function} should contain a single element"
        )


def vjp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple:
    """(func(inputs), v times the Jacobian): v has the outputs' shapes, the result the inputs'."""
    with _C.enable_grad():
        many_inputs, inputs = _as_tuple(inputs, "inputs", "vjp")
        inputs = _prepare(inputs, create_graph)
        many_outputs, outputs = _outputs(func, inputs, "vjp", strict)
        if v is not None:
            v = _check_v(v, outputs, many_outputs, "vjp")
        elif len(outputs) != 1 or outputs[0].numel() != 1:
            raise RuntimeError(
                "The vector v can only be None if the user-provided function returns a single Tensor with a single element."
            )
        result = _finish(
            _gradients(outputs, inputs, v, create_graph, "The output" if strict else ""),
            create_graph,
        )
        outputs = _finish(outputs, create_graph)
    return outputs if many_outputs else outputs[0], result if many_inputs else result[0]


def _input_v(v: Any, inputs: tuple, many: bool, function: str) -> tuple:
    if v is not None:
        return _check_v(v, inputs, many, function)
    if len(inputs) != 1 or inputs[0].numel() != 1:
        raise RuntimeError(
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single "
            "element."
        )
    return (_C.ones_like(inputs[0]),)


def jvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple:
    """(func(inputs), the Jacobian times v): v has the inputs' shapes. Differentiates v's product with the Jacobian twice."""
    with _C.enable_grad():
        many_inputs, inputs = _as_tuple(inputs, "inputs", "jvp")
        inputs = _prepare(inputs, create_graph)
        v = _input_v(v, inputs, many_inputs, "jvp")
        many_outputs, outputs = _outputs(func, inputs, "jvp", strict)
        probes = tuple(_C.zeros_like(y).requires_grad_() for y in outputs)
        linear = _gradients(outputs, inputs, probes, True, "The output" if strict else "")
        result = _gradients(linear, probes, v, create_graph)
        outputs, result = _finish(outputs, create_graph), _finish(result, create_graph)
    return (outputs, result) if many_outputs else (outputs[0], result[0])


def vhp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple:
    """(func(inputs), v times the Hessian) of a function with one number as its result."""
    with _C.enable_grad():
        many, inputs = _as_tuple(inputs, "inputs", "vhp")
        inputs = _prepare(inputs, create_graph)
        v = _input_v(v, inputs, many, "vhp")
        output = func(*inputs)
        _single(output, "vhp")
        _outputs(lambda: output, (), "vhp", strict)
        first = _gradients((output,), inputs, None, True, "The output" if strict else "")
        if strict:
            _check_second(first)
        result = _finish(_gradients(first, inputs, v, create_graph), create_graph)
        output = _finish(output, create_graph)
    return output, result if many else result[0]


def hvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple:
    """(func(inputs), the Hessian times v); the Hessian is symmetric, so this is vhp."""
    return vhp(func, inputs, v, create_graph, strict)
