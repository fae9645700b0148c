"""Elements in other places: windows as columns and channels as pixels (csrc/ops/fold.c, csrc/ops/shuffle.c)."""

@op(nn=True, complex=True)
def im2col(input: Tensor, kernel_size: Ints, dilation: Ints, padding: Ints, stride: Ints) -> Tensor:
    """The windows of (N, C, H, W) as columns: (N, C kernel points, windows)."""

@op(nn=True, complex=True)
def col2im(input: Tensor, output_size: Ints, kernel_size: Ints, dilation: Ints, padding: Ints, stride: Ints) -> Tensor:
    """Columns back in their windows, added up: (N, C, *output_size)."""

@op(method=False, complex=True)
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C r^2, H, W) as (..., C, H r, W r): channels become pixels."""

@op(method=False, complex=True)
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., C, H r, W r) as (..., C r^2, H, W): pixels become channels."""

@op(method=False, complex=True)
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels (dim 1) of all groups in turn."""

@op(method=False, complex=True)
def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """channel_shuffle without a derivative."""
