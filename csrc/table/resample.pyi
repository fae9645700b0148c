"""Sampling between elements: csrc/ops/resample.c (on a grid of another size), csrc/ops/grid_sample.c (anywhere)."""

@op(nn=True)
def resample(input: Tensor, output_size: Ints, mode: str, align_corners: bool = False, antialias: bool = False, scale_depth: float | None = None, scale_height: float | None = None, scale_width: float | None = None) -> Tensor:
    """The spatial dims in other sizes; mode nearest, nearest-exact, linear, cubic or lanczos; scales count from the last dim."""

@op(method=False)
def grid_sampler(input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Tensor:
    """The input at the points of a grid, -1 to 1; modes 0 bilinear, 1 nearest, 2 bicubic; padding 0 zeros, 1 border, 2 reflection."""

@op(method=False)
def grid_sampler_2d(input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Tensor:
    """grid_sampler of (N, C, H, W) at (N, H', W', 2)."""

@op(method=False)
def grid_sampler_3d(input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Tensor:
    """grid_sampler of (N, C, D, H, W) at (N, D', H', W', 3)."""

@op(method=False)
def affine_grid_generator(theta: Tensor, size: Ints, align_corners: bool) -> Tensor:
    """For each point of the result, of size (N, C, ...), the point that the affine maps theta send it to."""
