"""Pooling: csrc/ops/pool.c."""

@op(method=False)
def max_pool1d(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False) -> Tensor:
    """Maxima of windows of the last dim."""

@op(method=False)
def max_pool1d_with_indices(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False) -> tuple[Tensor, Tensor]:
    """Maxima of windows of the last dim, and where they lie in their plane."""

@op(method=False)
def avg_pool1d(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False, count_include_pad: bool = True) -> Tensor:
    """Averages of windows of the last dim."""

@op(method=False)
def adaptive_avg_pool1d(input: Tensor, output_size: Ints) -> Tensor:
    """Averages of as many windows of the last dim as output_size says."""

@op(method=False)
def adaptive_max_pool1d(input: Tensor, output_size: Ints) -> tuple[Tensor, Tensor]:
    """Maxima of as many windows of the last dim as output_size says, and where they lie in their plane."""

@op(method=False)
def max_pool2d(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False) -> Tensor:
    """Maxima of windows of the last two dims."""

@op(nn=True)
def max_pool2d_with_indices(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False) -> tuple[Tensor, Tensor]:
    """Maxima of windows of the last two dims, and where they lie in their plane."""

@op(nn=True)
def avg_pool2d(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """Averages of windows of the last two dims."""

@op(nn=True)
def adaptive_avg_pool2d(input: Tensor, output_size: Ints) -> Tensor:
    """Averages of as many windows of the last two dims as output_size says."""

@op(nn=True)
def adaptive_max_pool2d(input: Tensor, output_size: Ints) -> tuple[Tensor, Tensor]:
    """Maxima of as many windows of the last two dims as output_size says, and where they lie in their plane."""

@op(method=False)
def max_pool3d(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False) -> Tensor:
    """Maxima of windows of the last three dims."""

@op(nn=True)
def max_pool3d_with_indices(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False) -> tuple[Tensor, Tensor]:
    """Maxima of windows of the last three dims, and where they lie in their plane."""

@op(nn=True)
def avg_pool3d(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """Averages of windows of the last three dims."""

@op(nn=True)
def adaptive_avg_pool3d(input: Tensor, output_size: Ints) -> Tensor:
    """Averages of as many windows of the last three dims as output_size says."""

@op(nn=True)
def adaptive_max_pool3d(input: Tensor, output_size: Ints) -> tuple[Tensor, Tensor]:
    """Maxima of as many windows of the last three dims as output_size says, and where they lie in their plane."""

@op(nn=True)
def max_unpool1d(input: Tensor, indices: Tensor, output_size: Ints) -> Tensor:
    """Zeros but for the input's elements at the indices of their plane, the last dim."""

@op(nn=True)
def max_unpool2d(input: Tensor, indices: Tensor, output_size: Ints) -> Tensor:
    """Zeros but for the input's elements at the indices of their plane, the last two dims."""

@op(nn=True)
def max_unpool3d(input: Tensor, indices: Tensor, output_size: Ints) -> Tensor:
    """Zeros but for the input's elements at the indices of their plane, the last three dims."""

@op(nn=True)
def fractional_max_pool2d(input: Tensor, kernel_size: Ints, output_size: Ints, random_samples: Tensor) -> tuple[Tensor, Tensor]:
    """Maxima of windows at random distances, and where they lie in their plane; samples (N, C, 2) in [0, 1)."""

@op(nn=True)
def fractional_max_pool3d(input: Tensor, kernel_size: Ints, output_size: Ints, random_samples: Tensor) -> tuple[Tensor, Tensor]:
    """Maxima of windows at random distances, and where they lie in their plane; samples (N, C, 3) in [0, 1)."""
