"""What is to be known about the graph: its nodes, and hooks that wait for several gradients."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

from rushlight import _C
from rushlight._C import Tensor

__all__ = [
    "GradientEdge",
    "Node",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
]

Node = _C._Node


class GradientEdge(NamedTuple):
    """Where a tensor's gradient goes: a node and which of its outputs the tensor is."""

    node: Any
    output_nr: int


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge of a tensor that requires a gradient; for a leaf, to its AccumulateGrad node."""
    if not tensor.requires_grad:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require gradients"
        )
    node = tensor.grad_fn
    if node is None:
        with _C.enable_grad():
            node = tensor.view_as(tensor).grad_fn.next_functions[0][0]
    return GradientEdge(node, tensor.output_nr)


def increment_version(tensor: Tensor | Sequence[Tensor]) -> None:
    """Makes autograd believe that the tensor was written in place."""
    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        with _C.no_grad():
            t.detach()[..., :0].zero_() if t.dim() else t.detach().add_(0)


class _Handles:
    def __init__(self, handles: list) -> None:
        self.handles = handles

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable, *, mode: str = "all"
) -> _Handles:
    """Calls fn when the gradients of these tensors are known.

    mode "all": fn(grads) once all have arrived; "any": fn(grad) with the first.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    lock = threading.Lock()
    grads: list = [None] * len(tensors)
    count = [0]

    def hook_for(i: int) -> Callable:
        def hook(grad: Tensor) -> None:
            with lock:
                count[0] += 1
                grads[i] = grad
                first, done = count[0] == 1, count[0] == len(tensors)
                given = list(grads)
                if done:
                    count[0] = 0
                    grads[:] = [None] * len(tensors)
            if mode == "any" and first:
                fn(grad)
            elif mode == "all" and done:
                fn(given)

        return hook

    return _Handles([t.register_hook(hook_for(i)) for i, t in enumerate(tensors)])
