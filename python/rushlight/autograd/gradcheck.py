"""gradcheck and gradgradcheck: derivatives compared with central differences."""

import itertools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from rushlight import _C
from rushlight._C import Tensor

__all__ = [
    "GradcheckError",
    "get_analytical_jacobian",
    "get_numerical_jacobian",
    "gradcheck",
    "gradgradcheck",
]


class GradcheckError(RuntimeError):
    """What gradcheck and gradgradcheck raise when a derivative is wrong."""


def _as_tuple(x: Any) -> tuple:
    return tuple(x) if isinstance(x, (list, tuple)) else (x,)


def _wants(t: Any) -> bool:
    return isinstance(t, Tensor) and t.requires_grad


def _differentiable(outputs: Any) -> tuple[Tensor, ...]:
    return tuple(o for o in _as_tuple(outputs) if o.requires_grad)


def get_numerical_jacobian(func: Callable, inputs: tuple, eps: float = 1e-6) -> list[list[Tensor]]:
    """d output / d input by central differences: a list per output of a matrix (input, output) per wanted input.

    The inputs' memory is written and restored.
    """
    wanted = [x for x in inputs if _wants(x)]

    def run() -> list[Tensor]:
        return [o.detach().clone() for o in _differentiable(func(*inputs))]

    shapes = run()
    result = [[_C.zeros(x.numel(), o.numel(), dtype=o.dtype) for x in wanted] for o in shapes]
    for i, x in enumerate(wanted):
        data = x.detach()
        with _C.no_grad():
            for row, index in enumerate(itertools.product(*(range(n) for n in x.shape))):
                value = data[index].item()
                with _C.enable_grad():
                    data_set(data, index, value - eps)
                    below = run()
                    data_set(data, index, value + eps)
                    above = run()
                data_set(data, index, value)
                for o in range(len(shapes)):
                    result[o][i][row] = ((above[o] - below[o]) / (2 * eps)).reshape(-1)
    return result


def data_set(data: Tensor, index: tuple, value: float) -> None:
    """Writes one element without the graph's noticing."""
    with _C.no_grad():
        data.data[index] = value


def get_analytical_jacobian(inputs: tuple, output: Tensor) -> tuple[list[Tensor], bool, bool]:
    """What backward says of one output: a matrix (input, output) per wanted input, twice.

    Returns the matrices, the greatest difference between the two runs, and whether the gradients had the inputs' shapes.
    """
    wanted = [x for x in inputs if _wants(x)]
    runs = []
    shapes_fit = True
    for _ in range(2):
        matrices = [_C.zeros(x.numel(), output.numel(), dtype=output.dtype) for x in wanted]
        for column in range(output.numel()):
            seed = _C.zeros(output.numel(), dtype=output.dtype)
            seed[column] = 1
            grads = _grad(output, wanted, seed.reshape(output.shape))
            for matrix, g, x in zip(matrices, grads, wanted, strict=True):
                if g is not None:
                    shapes_fit = shapes_fit and g.shape == x.shape
                    matrix[:, column] = g.detach().reshape(-1).to(matrix.dtype)
        runs.append(matrices)
    difference = max(
        ((a - b).abs().max().item() for a, b in zip(*runs, strict=True) if a.numel()), default=0.0
    )
    return runs[0], difference, shapes_fit


def _grad(output: Tensor, inputs: Sequence[Tensor], grad_output: Tensor | None) -> tuple:
    return _C._run_backward((output,), (grad_output,), True, False, tuple(inputs), True, False)


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether backward of func agrees with central differences at these inputs.

    Args:
        func: takes the inputs, returns a tensor or several.
        inputs: those that require gradients are checked; they should be float64.
        eps: step of the differences.
        atol, rtol: analytical and numerical may differ by atol + rtol * |numerical|.
        raise_exception: raise GradcheckError instead of returning False.
        nondet_tol: two backward runs may differ by this.
        check_undefined_grad: backward must cope with outputs that get no gradient.
        check_grad_dtypes: gradients must have their inputs' dtypes.
        fast_mode: accepted; every element is checked all the same.

    Raises: GradcheckError; ValueError when no input requires a gradient; NotImplementedError for forward mode and vmap.
    """
    if check_forward_ad or check_batched_grad or check_batched_forward_grad:
        raise NotImplementedError(
            "gradcheck: rushlight has neither forward-mode differentiation nor vmap"
        )
    inputs = _as_tuple(inputs)
    if any(isinstance(x, Tensor) and x.is_complex() for x in inputs) or any(
        isinstance(o, Tensor) and o.is_complex() for o in _as_tuple(func(*inputs))
    ):
        func, inputs = _in_parts(func, inputs)
    options = (eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes)
    if raise_exception:
        _check(func, inputs, *options)
        return True
    try:
        _check(func, inputs, *options)
    except GradcheckError:
        return False
    return True


def _in_parts(func: Callable, inputs: tuple) -> tuple[Callable, tuple]:
    """The function of real and imaginary parts that func is: complex inputs that want gradients and complex outputs as
    pairs of numbers. Gradients are those with respect to the parts, so all of the derivative is checked."""
    places = [i for i, x in enumerate(inputs) if _wants(x) and x.is_complex()]
    parts = list(inputs)
    for i in places:
        parts[i] = _C.view_as_real(inputs[i].detach()).clone().requires_grad_()

    def of_parts(*args: Any) -> Any:
        whole = [_C.view_as_complex(a) if i in places else a for i, a in enumerate(args)]
        outputs = _as_tuple(func(*whole))
        return tuple(
            _C.view_as_real(o) if isinstance(o, Tensor) and o.is_complex() else o for o in outputs
        )

    return of_parts, tuple(parts)


def _check_inputs(inputs: tuple) -> None:
    if not any(_wants(x) for x in inputs):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for i, x in enumerate(inputs):
        if not _wants(x):
            continue
        if x.dtype is not _C.float64:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check will "
                "likely fail if all the inputs are not of double precision floating point or complex. ",
                stacklevel=4,
            )
        if any(stride == 0 and size > 1 for stride, size in zip(x.stride(), x.shape, strict=True)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping "
                "to be able to compute the numerical gradients correctly. You should call .contiguous on the input before "
                "passing it to gradcheck."
            )


def _check(
    func, inputs, eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes
) -> None:
    _check_inputs(inputs)
    wanted = [x for x in inputs if _wants(x)]
    wanted_places = [i for i, x in enumerate(inputs) if _wants(x)]
    raw = _as_tuple(func(*inputs))
    outputs = _differentiable(raw)
    numerical = get_numerical_jacobian(func, inputs, eps)
    if not outputs:
        _check_no_output(func, inputs, raw, eps)
        return
    for o, output in enumerate(outputs):
        analytical, difference, shapes_fit = get_analytical_jacobian(inputs, output)
        for i, (a, n) in enumerate(zip(analytical, numerical[o], strict=True)):
            if not _C.allclose(a, n.to(a.dtype), rtol, atol):
                raise GradcheckError(
                    f"Jacobian mismatch for output {o} with respect to input {wanted_places[i]},\n"
                    f"numerical:{n}\nanalytical:{a}\n"
                )
        if difference > nondet_tol:
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives "
                "different values, although analytical gradient matches numerical gradient."
                f"The tolerance for nondeterminism was {nondet_tol}."
            )
        if not shapes_fit:
            raise GradcheckError("Backward returned a gradient of another shape than its input's")
        if check_grad_dtypes:
            for g, x in zip(_grad(output, wanted, _C.ones_like(output)), wanted, strict=True):
                if g is not None and g.dtype is not x.dtype:
                    raise GradcheckError(
                        f"Input's and gradient's dtypes differ: {x.dtype} and {g.dtype}"
                    )
    if check_undefined_grad:
        _check_undefined(func, inputs, wanted)


def _check_no_output(func: Callable, inputs: tuple, outputs: tuple, eps: float) -> None:
    """No output requires a gradient: then none may depend on the inputs."""
    for i, x in enumerate(inputs):
        if not _wants(x):
            continue
        data = x.detach()
        for index in itertools.product(*(range(n) for n in x.shape)):
            value = data[index].item()
            data_set(data, index, value + eps)
            above = [o.detach().clone() for o in _as_tuple(func(*inputs))]
            data_set(data, index, value - eps)
            below = [o.detach().clone() for o in _as_tuple(func(*inputs))]
            data_set(data, index, value)
            for a, b in zip(above, below, strict=True):
                if not _C.equal(a, b):
                    raise GradcheckError("Numerical gradient for function expected to be zero")


class _Pass:
    """Identity whose gradient does not arrive: stands for an output nobody used."""

    function = None

    @classmethod
    def of(cls, t: Tensor) -> Tensor:
        if cls.function is None:
            from rushlight.autograd.function import Function

            class Lost(Function):
                @staticmethod
                def forward(ctx, x):
                    return x.clone()

                @staticmethod
                def backward(ctx, g):
                    return None

            cls.function = Lost
        return cls.function.apply(t)


def _check_undefined(func: Callable, inputs: tuple, wanted: list[Tensor]) -> None:
    """Backward must give zero or nothing, and no error, when no gradient reaches its outputs."""
    outputs = _differentiable(func(*inputs))
    total = sum(_Pass.of(o).sum() for o in outputs)
    try:
        grads = _C._run_backward((total,), (None,), True, False, tuple(wanted), True, False)
    except RuntimeError as error:
        raise GradcheckError(
            "Expected backward function to handle undefined output grads. Please look at 'Notes about undefined output "
            'gradients\' in "tools/autograd/derivatives.yaml"'
        ) from error
    for g in grads:
        if g is not None and not (g == 0).all():
            raise GradcheckError(
                "Expected all input grads to be undefined or zero when all output grads are undefined or zero."
            )


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """gradcheck of the function (inputs, grad_outputs) -> gradients of func.

    Args: as gradcheck; grad_outputs: one per differentiable output of func, drawn from (-1, 1) when not given.
    """
    if check_fwd_over_rev:
        raise NotImplementedError("gradgradcheck: rushlight has no forward-mode differentiation")
    inputs = _as_tuple(inputs)
    if grad_outputs is None:
        outputs = _differentiable(func(*inputs))
        grad_outputs = []
        for o in outputs:
            g = (_C.rand_like(o.detach()) * 2 - 1).detach()
            if gen_non_contig_grad_outputs and g.dim():
                g = _C.stack((g, g), -1)[..., 0]
            grad_outputs.append(g.detach().requires_grad_())
    grad_outputs = tuple(
        g if g.requires_grad else g.detach().requires_grad_() for g in _as_tuple(grad_outputs)
    )
    n = len(grad_outputs)

    def gradient(*args: Any) -> tuple:
        xs = tuple(x for x in args[:-n] if _wants(x))
        outputs = _differentiable(func(*args[:-n]))
        grads = _C._run_backward(outputs, args[-n:], True, True, xs, True, False)
        return tuple(g for g in grads if g is not None)

    return gradcheck(
        gradient,
        inputs + grad_outputs,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
    )
