"""Differentiation: backward, grad, Function, the gradient modes and the checks.

The graph itself is C (csrc/autograd); this package is what PyTorch's torch.autograd offers on top of it.
"""

import warnings
from collections.abc import Sequence
from typing import Any

from rushlight import _C
from rushlight._C import Tensor
from rushlight.autograd import grad_mode, variable
from rushlight.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from rushlight.autograd.function import Function, NestedIOFunction
from rushlight.autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from rushlight.autograd.gradcheck import gradcheck, gradgradcheck
from rushlight.autograd.variable import Variable

__all__ = [
    "Function",
    "NestedIOFunction",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "grad_mode",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
    "variable",
]


def __getattr__(name: str) -> Any:
    """Imports the parts that few programs use when they are first mentioned."""
    if name in ("functional", "graph", "profiler"):
        import importlib

        return importlib.import_module(f"rushlight.autograd.{name}")
    raise AttributeError(
        f"module 'rushlight.autograd' has no attribute '{name}'. If PyTorch has it: rushlight does not implement it"
    )


def _as_tuple(tensors: Any) -> tuple:
    return (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)


def _batched(outputs: tuple, vectors: tuple, keep: bool, options: tuple) -> tuple:
    """grad for each slice of the vectors, stacked."""
    sizes = {v.shape[0] if v.dim() else None for v in vectors if v is not None}
    if len(sizes) != 1 or None in sizes:
        raise RuntimeError(
            "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. "
            f"The sizes of the remaining dimensions are expected to match the shape of corresponding output, but the "
            f"batch sizes are {sorted(map(str, sizes))}"
        )
    (size,) = sizes
    rows = []
    for k in range(size):
        one = tuple(None if v is None else v[k] for v in vectors)
        rows.append(_C._run_backward(outputs, one, keep or k + 1 < size, *options))
    return tuple(
        None if all(g is None for g in column) else _C.stack(column)
        for column in zip(*rows, strict=True)
    )


def _grads_for(outputs: tuple, grads: Any) -> tuple:
    """The gradients as a tuple, one per output, None for an implicit one."""
    if grads is None:
        return (None,) * len(outputs)
    grads = _as_tuple(grads)
    for g in grads:
        if g is not None and not isinstance(g, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    return grads


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Tensor | Sequence[Tensor | None] | None = None,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Adds the gradient of the tensors to the grad of the leaves they were computed from.

    Args:
        tensors: one tensor or several; they must require gradients.
        grad_tensors: the gradient with respect to each, of its shape. None stands for 1 and suits one-element tensors.
        retain_graph: keep what the graph saved, for another backward. Default: create_graph
        create_graph: record the derivative, for higher derivatives. Default: False
        inputs: only these get a gradient; results keep theirs as after retain_grad().

    Raises: RuntimeError when a tensor requires no gradient, a shape does not fit, or the graph was freed.
    """
    if grad_variables is not None:
        warnings.warn(
            "`grad_variables` is deprecated. Use `grad_tensors` instead.",
            category=FutureWarning,
            stacklevel=2,
        )
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. "
                "Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    inputs = () if inputs is None else _as_tuple(inputs) or None
    if inputs is None:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    tensors = _as_tuple(tensors)
    for t in tensors:
        if not isinstance(t, Tensor):
            raise AssertionError("Expected output to be a torch.Tensor")  # noqa: TRY004, as PyTorch
    keep = create_graph if retain_graph is None else retain_graph
    _C._run_backward(
        tensors, _grads_for(tensors, grad_tensors), keep, create_graph, inputs, True, True
    )


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor] | dict[str, Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple | dict[str, Tensor]:
    """The gradient of the outputs with respect to the inputs, added to no grad.

    Args:
        outputs: what is differentiated; several are summed, each times its grad_outputs.
        inputs: leaves or results, a tuple of gradients comes back; a dict gives a dict.
        grad_outputs: as grad_tensors of backward.
        retain_graph, create_graph: as for backward.
        allow_unused: None instead of an error where an input had no part. Default: materialize_grads
        is_grads_batched: the grad_outputs have one more dim in front, a batch of them; so have the gradients then.
            The graph is gone through once for each.
        materialize_grads: zeros instead of None.

    Raises: RuntimeError as backward does, and for an input that was not used.
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other "
            "parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    if allow_unused is None:
        allow_unused = materialize_grads
    names = list(inputs) if isinstance(inputs, dict) else None
    inputs = tuple(inputs.values()) if names is not None else _as_tuple(inputs)
    outputs = _as_tuple(outputs)
    for t in outputs:
        if not isinstance(t, Tensor):
            raise AssertionError("Expected output to be a torch.Tensor")  # noqa: TRY004, as PyTorch
    keep = create_graph if retain_graph is None else retain_graph
    vectors = _grads_for(outputs, grad_outputs)
    options = (create_graph, inputs, allow_unused, False)
    if is_grads_batched:
        result = _batched(outputs, vectors, keep, options)
    else:
        result = _C._run_backward(outputs, vectors, keep, *options)
    if materialize_grads:
        if any(r is None and not i.requires_grad for r, i in zip(result, inputs, strict=True)):
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        result = tuple(
            _C.zeros_like(i) if r is None else r for r, i in zip(result, inputs, strict=True)
        )
    return dict(zip(names, result, strict=True)) if names is not None else result
