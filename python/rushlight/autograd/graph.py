"""What is to be known about the graph: its nodes, and hooks that wait for several gradients."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

from rushlight import _C
from rushlight._C import Tensor

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]

Node = _C._Node


_disabled: list[str] = []  # messages of the disable_saved_tensors_hooks blocks that are active


class saved_tensors_hooks:
    """Context manager: what the graph saves inside goes through two functions.

    Args:
        pack_hook: called with each tensor that an operator saves; returns anything.
        unpack_hook: called in backward with what pack_hook returned; returns a tensor of the same values,
            shape and dtype.

    Both run without recording. pack_hook may not write into its argument.
    """

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        if _disabled:
            raise RuntimeError(_disabled[-1])
        _C._push_saved_tensors_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *args: object) -> None:
        _C._pop_saved_tensors_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Context manager that keeps what the graph saves on the CPU: a copy, since everything is there.

    Args:
        pin_memory: pinning needs an accelerator, so True is an error when a tensor is saved.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(tensor: Tensor) -> Tensor:
            return tensor.pin_memory() if pin_memory else tensor.clone()

        super().__init__(pack, lambda packed: packed)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Context manager: entering saved_tensors_hooks inside raises RuntimeError with this message."""
    _disabled.append(error_message)
    try:
        yield
    finally:
        _disabled.pop()


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


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[None]:
    """Inside, what the graph saves may be written to before backward, which sees the values from before.

    What is saved is copied at once, so memory grows by its size.
    """
    with saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        yield



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
