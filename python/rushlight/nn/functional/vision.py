"""Images: other sizes, other points, windows as columns, channels as pixels."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from rushlight import _C
from rushlight._C import Tensor, _nn
from rushlight.nn.modules.utils import tuple_of

__all__ = [
    "affine_grid",
    "channel_shuffle",
    "fold",
    "grid_sample",
    "interpolate",
    "native_channel_shuffle",
    "pixel_shuffle",
    "pixel_unshuffle",
    "unfold",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

channel_shuffle = _C.channel_shuffle
native_channel_shuffle = _C.native_channel_shuffle
pixel_shuffle = _C.pixel_shuffle
pixel_unshuffle = _C.pixel_unshuffle

# ---- windows as columns ----


def unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The windows of (N, C, H, W) as columns: (N, C * kernel points, windows); N may be missing."""
    return _nn.im2col(input, *(tuple_of(2, v) for v in (kernel_size, dilation, padding, stride)))


def fold(
    input: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """The columns of unfold added up in their windows: (N, C, *output_size); N may be missing."""
    arguments = (output_size, kernel_size, dilation, padding, stride)
    return _nn.col2im(input, *(tuple_of(2, v) for v in arguments))


# ---- other sizes ----

_METHODS = {
    "nearest": "nearest",
    "nearest-exact": "nearest-exact",
    "linear": "linear",
    "bilinear": "linear",
    "trilinear": "linear",
    "bicubic": "cubic",
    "lanczos": "lanczos",
}
_INPUT_DIMS = {"linear": 3, "bilinear": 4, "trilinear": 5, "bicubic": 4, "lanczos": 4}


def _each(input: Tensor, value: Any, what: str) -> list:
    """One value for each spatial dimension."""
    n = input.dim() - 2
    if not isinstance(value, (list, tuple)):
        return [value] * n
    if len(value) != n:
        raise ValueError(
            f"Input and {what} must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {list(input.shape[2:])} and {what} of {value}."
        )
    return list(value)


def _output_size(input: Tensor, size: Any, scale_factor: Any) -> tuple[list[int], list]:
    """Sizes of the result, and the factors that were given."""
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        sizes = _each(input, size, "output size")
        if not all(isinstance(s, int) or hasattr(s, "__index__") for s in sizes):
            raise TypeError(
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, "
                f"int], but got size with types {[type(s) for s in sizes]}"
            )
        return [int(s) for s in sizes], []
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    factors = _each(input, scale_factor, "scale_factor")
    return [int(s * f) for s, f in zip(input.shape[2:], factors, strict=True)], factors


def _check_mode(input: Tensor, mode: str, antialias: bool, align_corners: bool | None) -> None:
    dims = input.dim()
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and dims == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a "
            "4-D tensor as input"
        )
    if mode == "lanczos" and dims == 4:
        if align_corners:
            raise ValueError("Lanczos mode does not support align_corners=True")
        if not antialias:
            raise ValueError("Lanczos mode requires antialias=True")
    known = mode in _METHODS or mode == "area"
    if known and mode in _INPUT_DIMS and dims in (3, 4, 5) and dims != _INPUT_DIMS[mode]:
        raise NotImplementedError(
            f"Got {dims}D input, but {mode} mode needs {_INPUT_DIMS[mode]}D input"
        )
    if not known or dims not in (3, 4, 5):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {dims}D) for the modes: "
            "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact "
            f"(got {mode})"
        )


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """The input with other spatial sizes.

    Args:
        input (Tensor): (N, C, L), (N, C, H, W) or (N, C, D, H, W), floating or uint8.
        size (int or sequence): of the result, or else
        scale_factor (float or sequence): its size is that of the input times this, rounded down.
        mode (str): "nearest" (of the element's left edge), "nearest-exact" (of its center), "linear",
            "bilinear", "trilinear", "bicubic", "lanczos" or "area" (adaptive average pooling).
            Default: "nearest"
        align_corners (bool): whether the centers of the corner elements stay where they are, rather
            than their edges; interpolating modes only. Default: False
        recompute_scale_factor (bool): whether positions follow from the sizes alone, even where
            scale_factor gave them. Default: False
        antialias (bool): whether an element of a smaller result is made of all that it stands for;
            "bilinear", "bicubic" and "lanczos" only. Default: False

    Raises:
        ValueError: not exactly one of size and scale_factor; options that the mode does not have.
        NotImplementedError: a mode that does not fit the number of dimensions; another dtype.
        RuntimeError: a size below 1.
    """
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | "
            "bicubic | trilinear"
        )
    sizes, factors = _output_size(input, size, scale_factor)
    if recompute_scale_factor:
        if size is not None:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        factors = []
    _check_mode(input, mode, antialias, align_corners)
    if mode == "area":
        from rushlight.nn import functional as F

        return getattr(F, f"adaptive_avg_pool{input.dim() - 2}d")(input, sizes)
    scales = [None] * (3 - len(factors)) + [float(f) for f in factors]
    return _nn.resample(input, sizes, _METHODS[mode], bool(align_corners), antialias, *scales)


def _deprecated(name: str) -> None:
    warnings.warn(
        f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=3,
    )


def _offered_interpolate() -> Callable[..., Tensor]:
    """interpolate as the package hands it out: it asks __torch_function__, which the old names do not."""
    from rushlight.nn import functional

    return functional.interpolate


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """interpolate under its old name."""
    _deprecated("upsample")
    return _offered_interpolate()(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """interpolate with mode "nearest"."""
    _deprecated("upsample_nearest")
    return _offered_interpolate()(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """interpolate with mode "bilinear" and align_corners."""
    _deprecated("upsample_bilinear")
    return _offered_interpolate()(input, size, scale_factor, mode="bilinear", align_corners=True)


# ---- other points ----


def _aligned(align_corners: bool | None) -> bool:
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since "
            "1.3.0. Please specify align_corners=True if the old behavior is desired. See the "
            "documentation of grid_sample for details.",
            stacklevel=3,
        )
    return bool(align_corners)


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The input at the points of a grid: (N, C, ...) of the grid's size.

    Args:
        input (Tensor): (N, C, H, W) or (N, C, D, H, W), floating.
        grid (Tensor): (N, H', W', 2) or (N, D', H', W', 3), as input: points (x, y) or (x, y, z),
            -1 at one side of the input and 1 at the other.
        mode (str): "bilinear" (trilinear for 5-D input), "nearest" or "bicubic" (4-D only).
            Default: "bilinear"
        padding_mode (str): what lies outside: "zeros", "border" (its elements) or "reflection".
            Default: "zeros"
        align_corners (bool): whether -1 and 1 are the centers of the corner elements rather than
            their edges. Default: False, with a warning

    Raises:
        ValueError: an unknown mode or padding_mode.
        RuntimeError: shapes or dtypes that do not fit.
    """
    modes, paddings = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
    if mode not in modes:
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but "
            f"got: '{mode}'"
        )
    if padding_mode not in paddings:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    return _C.grid_sampler(
        input, grid, modes.index(mode), paddings.index(padding_mode), _aligned(align_corners)
    )


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The grid for grid_sample that shows the input under affine maps.

    Args:
        theta (Tensor): (N, 2, 3) or (N, 3, 4), floating: [A | t], a point p of the result shows
            A p + t.
        size (sequence of int): (N, C, H, W) or (N, C, D, H, W) of the result to come.
        align_corners (bool): as of grid_sample. Default: False, with a warning

    Returns: (N, H, W, 2) or (N, D, H, W, 3).

    Raises:
        ValueError: shapes that do not fit, a theta that is not floating.
        NotImplementedError: a size of another length.
    """
    align = _aligned(align_corners)
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    n = len(size) - 2
    if n not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {size}."
        )
    if theta.dim() != 3 or tuple(theta.shape[1:]) != (n, n + 1):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {size}. Got "
            f"{theta.shape}."
        )
    if align and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when "
            "align_corners=True. This is not an intended use case of affine_grid. See the "
            "documentation of affine_grid for details.",
            stacklevel=2,
        )
    elif min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    return _C.affine_grid_generator(theta, size, align)
