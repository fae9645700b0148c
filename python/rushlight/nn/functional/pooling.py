"""Pooling of (N, C, ...) or (C, ...): maxima, averages, norms of windows, and the way back.

The functions of one, two and three dimensions are one function each, made for a number of dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import rushlight
from rushlight import _C
from rushlight._C import Tensor, _nn
from rushlight.nn import functional
from rushlight.nn.modules.utils import tuple_of

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]

Function = TypeVar("Function", bound=Callable)

avg_pool1d = _C.avg_pool1d
avg_pool2d = _nn.avg_pool2d
avg_pool3d = _nn.avg_pool3d
adaptive_avg_pool1d = _C.adaptive_avg_pool1d


def _operator(name: str) -> Callable:
    """The operator of that name, in either home."""
    return getattr(_nn, name, None) or getattr(_C, name)


def _named(name: str) -> Callable[[Function], Function]:
    """Gives a function made for a number of dimensions its public name."""

    def rename(function: Function) -> Function:
        function.__name__ = function.__qualname__ = name
        return function

    return rename


def _sizes(input: Tensor, output_size: Any, n: int) -> Any:
    """output_size with the input's own sizes in place of None."""
    if isinstance(output_size, int):
        return output_size
    if output_size is None:
        output_size = (None,) * n
    if len(output_size) > input.dim():
        raise ValueError(
            f"Input dimension should be at least {len(output_size) + 1}, got {input.dim()}"
        )
    own = input.shape[-len(output_size) :]
    return [o if s is None else s for s, o in zip(output_size, own, strict=True)]


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Averages of windows that divide (..., H, W) into output_size; None keeps a size."""
    return _nn.adaptive_avg_pool2d(input, _sizes(input, output_size, 2))


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Averages of windows that divide (..., D, H, W) into output_size; None keeps a size."""
    return _nn.adaptive_avg_pool3d(input, _sizes(input, output_size, 3))


def _max_pool(n: int) -> tuple[Callable, Callable]:
    values, both = _operator(f"max_pool{n}d"), _operator(f"max_pool{n}d_with_indices")

    @_named(f"max_pool{n}d_with_indices")
    def with_indices(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Maxima of windows, and where they lie in their plane (int64)."""
        return both(input, kernel_size, stride, padding, dilation, ceil_mode)

    @_named(f"max_pool{n}d")
    def pool(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        """Maxima of windows; with return_indices also where they lie in their plane (int64)."""
        if return_indices:  # as the package hands it out: that one asks __torch_function__
            pick = getattr(functional, f"max_pool{n}d_with_indices")
            return pick(input, kernel_size, stride, padding, dilation, ceil_mode)
        if _C._has_torch_function_unary(input):
            from rushlight.overrides import handle_torch_function

            options = (kernel_size, stride, padding, dilation, ceil_mode)
            return handle_torch_function(pool, (input,), input, *options)
        return values(input, kernel_size, stride, padding, dilation, ceil_mode)

    return pool, with_indices


def _adaptive_max_pool(n: int) -> tuple[Callable, Callable]:
    both = _operator(f"adaptive_max_pool{n}d")

    @_named(f"adaptive_max_pool{n}d_with_indices")
    def with_indices(
        input: Tensor, output_size: Any, return_indices: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Maxima of windows that divide the last dimensions into output_size, and where they lie."""
        return both(input, _sizes(input, output_size, n))

    @_named(f"adaptive_max_pool{n}d")
    def pool(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
        """Maxima of windows that divide the last dimensions into output_size; None keeps a size."""
        values, indices = both(input, _sizes(input, output_size, n))
        return (values, indices) if return_indices else values

    return pool, with_indices


def _fractional_max_pool(n: int) -> tuple[Callable, Callable]:
    name = f"fractional_max_pool{n}d"
    both = _operator(name)

    @_named(f"{name}_with_indices")
    def with_indices(
        input: Tensor,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Maxima of windows at random distances (Graham, 2014), and where they lie in their plane.

        Args:
            input (Tensor): (N, C, ...) or (C, ...), floating.
            kernel_size (int or tuple): of a window.
            output_size (int or tuple): of the result, or else
            output_ratio (float or tuple): its part of the input's size.

        Raises:
            ValueError: neither output_size nor output_ratio.
            RuntimeError: windows that do not fit the input.
        """
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
        if output_size is None:
            ratios = tuple_of(n, output_ratio)
            if len(ratios) > n:
                raise ValueError(f"{name} requires output_ratio to be a number or {n} numbers.")
            output_size = [int(input.size(d - n) * ratios[d]) for d in range(n)]
        if _random_samples is None:
            batch = 1 if input.dim() == n + 1 else input.size(0)
            _random_samples = rushlight.rand(batch, input.size(-n - 1), n, dtype=input.dtype)
        return both(input, kernel_size, output_size, _random_samples)

    @_named(name)
    def pool(
        input: Tensor,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> Any:
        """Maxima of windows at random distances; with return_indices also where they lie."""
        out = with_indices(
            input, kernel_size, output_size, output_ratio, return_indices, _random_samples
        )
        return out if return_indices else out[0]

    return pool, with_indices


def _lp_pool(n: int) -> Callable:
    maxima, average = _max_pool(n)[0], _operator(f"avg_pool{n}d")

    @_named(f"lp_pool{n}d")
    def pool(
        input: Tensor,
        norm_type: float,
        kernel_size: Any,
        stride: Any = None,
        ceil_mode: bool = False,
    ) -> Tensor:
        """(sum of x^p)^(1/p) of windows, p = norm_type; the largest |x| for inf, the least for -inf."""
        if norm_type == float("inf"):
            return maxima(input.abs(), kernel_size, stride, 0, 1, ceil_mode)
        if norm_type == -float("inf"):
            return -maxima(-input.abs(), kernel_size, stride, 0, 1, ceil_mode)
        points = 1
        for size in tuple_of(n, kernel_size):
            points *= size
        mean = average(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
        return (mean.sign() * mean.abs().relu()).mul(points).pow(1.0 / norm_type)

    return pool


def _unpooled_size(
    input: Tensor, kernel: tuple, stride: tuple, padding: tuple, output_size: Sequence[int] | None
) -> Sequence[int]:
    """The size before pooling: the least that fits, or output_size if that fits."""
    n = len(kernel)
    size = [
        (input.size(d - n) - 1) * stride[d] + kernel[d] - 2 * padding[d] for d in range(n)
    ]  # fmt: skip
    if output_size is not None:
        if len(output_size) == n + 2:
            output_size = output_size[2:]
        if len(output_size) != n:
            raise ValueError(
                f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a "
                f"length of '{len(output_size)}'"
            )
        for d in range(n):
            least, most = size[d] - stride[d], size[d] + stride[d]
            if not least < output_size[d] < most:
                raise ValueError(
                    f'invalid output_size "{output_size}" (dim {d} must be between {least} and '
                    f"{most})"
                )
        size = list(output_size)
    for d in range(n):
        if size[d] < 0:
            raise ValueError(
                "max_unpooling: output_size must contain non-negative spatial dimensions, but got "
                f"output_size[{d}]={size[d]}"
            )
    return size


def _max_unpool(n: int) -> Callable:
    put = _operator(f"max_unpool{n}d")

    @_named(f"max_unpool{n}d")
    def unpool(
        input: Tensor,
        indices: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        output_size: Sequence[int] | None = None,
    ) -> Tensor:
        """The maxima of a pooling back in their places, zeros elsewhere.

        Args:
            input (Tensor): (N, C, ...) or (C, ...), floating.
            indices (Tensor): int64, as input: those of the pooling.
            kernel_size, stride, padding: those of the pooling.
            output_size (sequence of int): of the result where a stride leaves it open.

        Raises:
            ValueError: an output_size that does not fit.
            RuntimeError: an index outside its plane; shapes or dtypes that do not fit.
        """
        kernel, border = tuple_of(n, kernel_size), tuple_of(n, padding)
        steps = kernel if stride is None else tuple_of(n, stride)
        return put(input, indices, _unpooled_size(input, kernel, steps, border, output_size))

    return unpool


max_pool1d, max_pool1d_with_indices = _max_pool(1)
max_pool2d, max_pool2d_with_indices = _max_pool(2)
max_pool3d, max_pool3d_with_indices = _max_pool(3)
adaptive_max_pool1d, adaptive_max_pool1d_with_indices = _adaptive_max_pool(1)
adaptive_max_pool2d, adaptive_max_pool2d_with_indices = _adaptive_max_pool(2)
adaptive_max_pool3d, adaptive_max_pool3d_with_indices = _adaptive_max_pool(3)
fractional_max_pool2d, fractional_max_pool2d_with_indices = _fractional_max_pool(2)
fractional_max_pool3d, fractional_max_pool3d_with_indices = _fractional_max_pool(3)
lp_pool1d, lp_pool2d, lp_pool3d = _lp_pool(1), _lp_pool(2), _lp_pool(3)
max_unpool1d, max_unpool2d, max_unpool3d = _max_unpool(1), _max_unpool(2), _max_unpool(3)
