"""Functions of the torch namespace about samples: differences, integrals, covariances."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from rushlight import _C
from rushlight._C import Tensor

__all__ = ["corrcoef", "cov", "cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz"]


def _wrap(dim: int, ndim: int) -> int:
    """dim counted from the front.  Raises IndexError when there is no such dim."""
    span = builtins.max(ndim, 1)
    if not -span <= dim < span:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], but got {dim})"
        )
    return dim % span


def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Differences between neighbours along dim, n times over; of bools whether they differ.

    Args:
        prepend, append (Tensor): joined with input along dim first.

    Raises:
        RuntimeError: no dims, a negative n, tensors that do not join.
        IndexError: no such dim.
    """
    if input.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    along = _wrap(dim, input.ndim)
    for other in (prepend, append):
        if other is None:
            continue
        if other.ndim != input.ndim:
            raise RuntimeError("diff expects prepend or append to be the same dimension as input")
        for d in builtins.range(input.ndim):
            if d != along and other.shape[d] != input.shape[d]:
                raise RuntimeError(
                    "diff expects the shape of tensor to prepend or append to match that of input except along the "
                    f"differencing dimension; input.size({d}) = {input.shape[d]}, but got tensor.size({d}) = "
                    f"{other.shape[d]}"
                )
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if n == 0:
        result = _C.zeros_like(input).copy_(input)
    else:
        parts = [t for t in (prepend, input, append) if t is not None]
        result = _C.cat(parts, along) if len(parts) > 1 else input
        for _ in builtins.range(builtins.min(n, result.shape[along])):
            size = result.shape[along]
            after = result.narrow(along, 1, size - 1)
            before = result.narrow(along, 0, size - 1)
            result = _C.logical_xor(after, before) if result.dtype == _C.bool else after - before
    return result if out is None else out.resize_(result.shape).copy_(result)


# ---- integrals ---------------------------------------------------------------------------------------


def _widths(name: str, y: Tensor, x: Tensor, dim: int) -> Tensor:
    """Distances between the sample points, shaped to multiply samples along dim."""
    if y.dtype == _C.bool or x.dtype == _C.bool:
        which = "y" if y.dtype == _C.bool else "x"
        raise RuntimeError(f"{name}: received a bool input for `{which}`, but bool is not supported")
    if x.ndim == 1:
        if x.shape[0] != y.shape[dim]:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        points = x.view([-1 if d == dim else 1 for d in builtins.range(y.ndim)])
    elif x.ndim < y.ndim:
        points = x.view((1,) * (y.ndim - x.ndim) + tuple(x.shape))
    else:
        points = x
    size = points.shape[dim]
    return points.narrow(dim, 1, size - 1) - points.narrow(dim, 0, size - 1)


def _refuse_bool(name: str, y: Tensor) -> None:
    if y.dtype == _C.bool:
        raise RuntimeError(f"{name}: received a bool input for `y`, but bool is not supported")


def _neighbours(y: Tensor, dim: int) -> Tensor:
    size = y.shape[dim]
    return y.narrow(dim, 0, size - 1) + y.narrow(dim, 1, size - 1)


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """Integral along dim of samples y at points x, or at equal distances dx, by the trapezoid rule.

    Args:
        x (Tensor): one point per sample, a vector or of a shape that broadcasts to y's.

    Raises:
        RuntimeError: points that do not fit, bools.
        IndexError: no such dim.
    """
    along = _wrap(dim, y.ndim)
    if y.shape[along] == 0:
        return _C.zeros([n for d, n in enumerate(y.shape) if d != along], dtype=y.dtype)
    if x is not None:
        widths = _widths("trapezoid", y, x, along)
        return (_neighbours(y, along) * widths).sum(along) / 2.0
    _refuse_bool("trapezoid", y)
    return (y.sum(along) - (y.select(along, 0) + y.select(along, -1)) * 0.5) * dx


def trapz(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """Another name for trapezoid."""
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """Running integrals along dim, one fewer than samples; arguments and errors as trapezoid."""
    along = _wrap(dim, y.ndim)
    if x is not None:
        widths = _widths("cumulative_trapezoid", y, x, along)
        return (widths * _neighbours(y, along)).cumsum(along) / 2.0
    _refuse_bool("cumulative_trapezoid", y)
    return (dx / 2.0 * _neighbours(y, along)).cumsum(along)


# ---- covariances -------------------------------------------------------------------------------------


def _check_weights(name: str, weights: Tensor, observations: int, kind: str) -> None:
    if weights.ndim > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {weights.ndim} dimensions"
        )
    if weights.is_floating_point() != (kind == "floating point"):
        title = str(weights.dtype).removeprefix("torch.")
        title = {"float32": "Float", "float64": "Double", "int64": "Long", "int32": "Int"}.get(title, title)
        raise RuntimeError(f"cov(): expected {name} to have {kind} dtype but got {name} with {title} dtype")
    if weights.numel() != observations:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{weights.numel()} != {observations}"
        )
    if observations and weights.min().item() < 0:
        raise RuntimeError(f"cov(): {name} cannot be negative")


def cov(
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """Covariance matrix of variables (rows) over observations (columns); of a vector its variance.

    Args:
        correction (int): taken from the number of observations that the products are divided by.
        fweights (Tensor): how often each observation was made, integers.
        aweights (Tensor): how much each observation weighs.

    Raises:
        RuntimeError: more than two dims, bools, weights that do not fit.
    """
    if input.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    if input.dtype == _C.bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input.view(1, -1) if input.ndim < 2 else input
    n = x.shape[1]
    if fweights is not None:
        _check_weights("fweights", fweights, n, "integral")
    if aweights is not None:
        _check_weights("aweights", aweights, n, "floating point")
    weights = fweights if aweights is None else aweights if fweights is None else fweights * aweights
    total: Any = n if weights is None else weights.sum()
    if weights is not None and total.item() == 0:
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    mean = (x if weights is None else x * weights).sum(1) / total
    if aweights is not None and correction != 0:
        freedom = total - correction * (weights * aweights).sum() / total
    else:
        freedom = total - correction
    if freedom <= 0:
        import warnings

        warnings.warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of "
                      "observations.", stacklevel=2)  # fmt: skip
        freedom = 0
    centred = x - mean.unsqueeze(1)
    product = _C.mm(centred, (centred if weights is None else centred * weights).t().conj())
    return _C.true_divide(product, freedom).squeeze()


def corrcoef(input: Tensor) -> Tensor:
    """Correlation coefficients, in [-1, 1], of variables (rows) over observations (columns).

    Raises:
        RuntimeError: more than two dims.
    """
    if input.ndim > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    c = cov(input)
    if c.ndim == 0:
        return c / c
    deviation = c.diag().sqrt()
    c = c / deviation.view(-1, 1) / deviation.view(1, -1)
    return _C.complex(c.real.clip(-1, 1), c.imag.clip(-1, 1)) if c.is_complex() else c.clip(-1, 1)


# ---- gradient of samples -----------------------------------------------------------------------------


def gradient(
    input: Tensor,
    *,
    spacing: Any = None,
    dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
) -> tuple[Tensor, ...]:
    """Slopes along each of the dims by central differences, one-sided at the ends.

    Args:
        spacing: distance of the samples, one for all dims or one for each, or the coordinates as tensors.
        dim: which dims; all unless given.
        edge_order (int): 1 or 2, the order of the differences at the ends.

    Raises:
        RuntimeError: arguments that do not fit, fewer samples than edge_order + 1.
    """
    if dim is None:
        dims = list(builtins.range(input.ndim))
    else:
        dims = [_wrap(d, input.ndim) for d in ([dim] if isinstance(dim, int) else dim)]
    if len(set(dims)) != len(dims):
        twice = next(d for d in dims if dims.count(d) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    for d in dims:
        if input.shape[d] < edge_order + 1:
            raise RuntimeError(
                "torch.gradient expected each dimension size to be at least edge_order+1"
            )
    if isinstance(spacing, (list, tuple)):
        steps = list(spacing)
        if len(steps) != len(dims):
            raise RuntimeError(
                f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length "
                f"{len(dims)} but got a list of length {len(steps)}"
            )
    else:
        steps = [1.0 if spacing is None else spacing] * len(dims)
    return tuple(_slope(input, d, step, edge_order) for d, step in zip(dims, steps, strict=True))


def _slope(x: Tensor, dim: int, spacing: Any, order: int) -> Tensor:
    """Slope along dim, with spacing a number or a vector of coordinates."""
    n = x.shape[dim]

    def at(start: int, length: int) -> Tensor:
        return x.narrow(dim, start, length)

    if not isinstance(spacing, Tensor) or spacing.ndim == 0:
        inner = (at(2, n - 2) - at(0, n - 2)) / spacing / 2.0
        if order == 1:
            first = (at(1, 1) - at(0, 1)) / spacing
            last = (at(n - 1, 1) - at(n - 2, 1)) / spacing
        else:
            first = (at(0, 1) * -1.5 + at(1, 1) * 2.0 - at(2, 1) * 0.5) / spacing
            last = (at(n - 1, 1) * 1.5 - at(n - 2, 1) * 2.0 + at(n - 3, 1) * 0.5) / spacing
        return _C.cat([first, inner, last], dim)
    shape = [-1 if d == dim else 1 for d in builtins.range(x.ndim)]
    step = spacing[1:] - spacing[:-1]
    left, right = step[:-1].view(shape), step[1:].view(shape)
    inner = (
        at(0, n - 2) * (-right / (left * (left + right)))
        + at(1, n - 2) * ((right - left) / (left * right))
        + at(2, n - 2) * (left / (right * (left + right)))
    )
    if order == 1:
        first = (at(1, 1) - at(0, 1)) / step[0]
        last = (at(n - 1, 1) - at(n - 2, 1)) / step[-1]
    else:
        a, b = step[0], step[1]
        first = (
            at(0, 1) * (-(2 * a + b) / (a * (a + b)))
            + at(1, 1) * ((a + b) / (a * b))
            + at(2, 1) * (-a / (b * (a + b)))
        )
        a, b = step[-2], step[-1]
        last = (
            at(n - 3, 1) * (b / (a * (a + b)))
            + at(n - 2, 1) * (-(a + b) / (a * b))
            + at(n - 1, 1) * ((a + 2 * b) / (b * (a + b)))
        )
    return _C.cat([first, inner, last], dim)
