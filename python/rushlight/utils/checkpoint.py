"""Checkpointing: what a part of a network computes is forgotten after forward and computed again in backward."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import rushlight
from rushlight import _C
from rushlight._C import Tensor
from rushlight.autograd import Function, backward
from rushlight.autograd.graph import saved_tensors_hooks

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "detach_variable",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]


class CheckpointError(RuntimeError):
    """The second forward saved something else than the first."""


class _Stop(Exception):
    """Everything that backward needs has been computed again."""


_early_stop = [True]
_debug: list[bool | None] = [None]


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Context manager: whether computing again stops as soon as it has what backward needs. Default: True"""
    before = _early_stop[0]
    _early_stop[0] = enable
    try:
        yield
    finally:
        _early_stop[0] = before


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Context manager; accepted, errors name the tensors that differ in any case."""
    before = _debug[0]
    _debug[0] = enabled
    try:
        yield
    finally:
        _debug[0] = before


def noop_context_fn() -> tuple[AbstractContextManager, AbstractContextManager]:
    """Two context managers that do nothing: for the first forward and for computing again."""
    return nullcontext(), nullcontext()


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs outside the graph, those that required gradients as leaves that do."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(  # noqa: TRY004, as PyTorch
            f"Only tuple of tensors is supported. Got Unsupported input type: {type(inputs).__name__}"
        )
    return tuple(
        x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in inputs
    )


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warns when no input requires a gradient: then no gradient will come out."""
    if not any(isinstance(x, Tensor) and x.requires_grad for x in inputs):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2
        )


class _Random:
    """The random state at the start of a call, to be had again for the second one."""

    def __init__(self, preserve: bool) -> None:
        self.state = rushlight.get_rng_state() if preserve else None

    @contextmanager
    def again(self) -> Iterator[None]:
        if self.state is None:
            yield
            return
        now = rushlight.get_rng_state()
        rushlight.set_rng_state(self.state)
        try:
            yield
        finally:
            rushlight.set_rng_state(now)


class CheckpointFunction(Function):
    """checkpoint with use_reentrant=True: an operator whose backward runs a backward of its own."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable, preserve_rng_state: bool, *args: Any) -> Any:
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.random = _Random(preserve_rng_state)
        ctx.inputs = [None if isinstance(x, Tensor) else x for x in args]
        ctx.tensor_indices = [i for i, x in enumerate(args) if isinstance(x, Tensor)]
        ctx.save_for_backward(*(args[i] for i in ctx.tensor_indices))
        with _C.no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple:
        inputs = list(ctx.inputs)
        for i, tensor in zip(ctx.tensor_indices, ctx.saved_tensors, strict=True):
            inputs[i] = tensor
        detached = detach_variable(tuple(inputs))
        with ctx.random.again(), _C.enable_grad():
            outputs = ctx.run_function(*detached)
        if isinstance(outputs, Tensor):
            outputs = (outputs,)
        pairs = [
            (y, g)
            for y, g in zip(outputs, grads, strict=True)
            if isinstance(y, Tensor) and y.requires_grad
        ]
        if not pairs:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        backward([y for y, _ in pairs], [g for _, g in pairs])
        return (None, None) + tuple(x.grad if isinstance(x, Tensor) else None for x in detached)


class _Holder:
    """Stands in the graph for a saved tensor."""

    __slots__ = ("__weakref__", "number", "value")

    def __init__(self, number: int) -> None:
        self.number = number
        self.value: Tensor | None = None


def _describe(t: Tensor) -> tuple:
    return tuple(t.shape), t.dtype


class _Frame:
    """One call: what it saved, by number, and how to compute it again."""

    def __init__(self, again: Callable[[], Any], early_stop: bool, check: bool) -> None:
        self.again = again
        self.early_stop = early_stop
        self.check = check
        self.kinds: list[tuple] = []  # shape and dtype of what forward saved
        self.values: dict[int, Tensor] = {}
        self.left = 0  # holders not yet unpacked since values were computed

    def pack(self, tensor: Tensor) -> _Holder:
        self.kinds.append(_describe(tensor))
        return _Holder(len(self.kinds) - 1)

    def unpack(self, holder: _Holder) -> Tensor:
        if holder.number not in self.values:
            self.recompute()
        return self.values.pop(holder.number)

    def recompute(self) -> None:
        self.values = {}
        count = 0

        def pack(tensor: Tensor) -> Tensor:
            nonlocal count
            if count < len(self.kinds):
                self.values[count] = tensor.detach()
                if self.check and _describe(tensor) != self.kinds[count]:
                    raise CheckpointError(
                        "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata "
                        "than during the forward pass.\n"
                        f"tensor at position {count}:\nsaved metadata: {self.kinds[count]}\n"
                        f"recomputed metadata: {_describe(tensor)}"
                    )
            count += 1
            if self.early_stop and count == len(self.kinds):
                raise _Stop
            return tensor

        try:
            with saved_tensors_hooks(pack, lambda tensor: tensor), _C.enable_grad():
                self.again()
        except _Stop:
            return
        if count != len(self.kinds) and self.check:
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation.\nNumber of tensors saved during forward: {len(self.kinds)}\n"
                f"Number of tensors saved during recomputation: {count}."
            )


def checkpoint(
    function: Callable,
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """function(*args), of which nothing is kept for backward but the arguments; backward computes it again.

    Args:
        function: a function or module.
        use_reentrant: False: what the graph saves is replaced and computed when asked for; True: the call is one
            operator whose backward runs a backward of its own (only then must an argument require a gradient, and
            keyword arguments are not allowed). To be given; None warns and means True.
        context_fn: returns two context managers, for the first forward and for the second.
        determinism_check: "default": shapes and dtypes of what is computed again are compared; "none".
        early_stop: stop computing again once everything needed is there.
        preserve_rng_state (bool): the second call sees the random numbers of the first. Default: True

    Raises:
        CheckpointError: the second call saved tensors of other shapes, dtypes or number.
        ValueError: arguments that do not go together.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in PyTorch 2.9, "
            "calling checkpoint without use_reentrant will raise an exception. use_reentrant=False is recommended, but "
            "if you need to preserve the current default behavior, you can pass use_reentrant=True. Refer to docs for "
            "more details on the differences between the two variants.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(
            "determinism_check should be one of ('default', 'none') but got "
            + str(determinism_check)
        )
    first, second = context_fn()
    random = _Random(preserve)

    def again() -> None:
        with random.again(), second:
            function(*args, **kwargs)

    if not _C.is_grad_enabled():
        return function(*args, **kwargs)
    frame = _Frame(again, early_stop and _early_stop[0], determinism_check == "default")
    with saved_tensors_hooks(frame.pack, frame.unpack), first:
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """A Sequential (or list of functions) in this many segments, all but the last of them checkpointed.

    Raises:
        ValueError: unexpected keyword arguments.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed explicitly. "
            "use_reentrant=False is recommended, but if you need to preserve the current default behavior, you can "
            "pass use_reentrant=True.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    steps = (
        list(functions.children())
        if isinstance(functions, rushlight.nn.Sequential)
        else list(functions)
    )

    def run(start: int, end: int) -> Callable:
        def forward(x: Any) -> Any:
            for step in steps[start:end]:
                x = step(x)
            return x

        return forward

    size = len(steps) // segments
    end = 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(
            run(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve
        )
    return run(end, len(steps))(input)
