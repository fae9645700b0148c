"""Convolution: csrc/ops/conv.c."""

@op(method=False)
def conv1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0, dilation: Ints = 1, groups: int = 1) -> Tensor:
    """Convolution over one dimension: input (N, C, ...) or (C, ...), weight (O, C / groups, ...)."""

@op(method=False, name="conv1d")
def conv1d_named(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: str = "valid", dilation: Ints = 1, groups: int = 1) -> Tensor:
    """Convolution over one dimension with padding "valid", none, or "same", as much as keeps the size."""

@op(method=False)
def conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0, dilation: Ints = 1, groups: int = 1) -> Tensor:
    """Convolution over two dimensions: input (N, C, ...) or (C, ...), weight (O, C / groups, ...)."""

@op(method=False, name="conv2d")
def conv2d_named(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: str = "valid", dilation: Ints = 1, groups: int = 1) -> Tensor:
    """Convolution over two dimensions with padding "valid", none, or "same", as much as keeps the size."""

@op(method=False)
def conv3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0, dilation: Ints = 1, groups: int = 1) -> Tensor:
    """Convolution over three dimensions: input (N, C, ...) or (C, ...), weight (O, C / groups, ...)."""

@op(method=False, name="conv3d")
def conv3d_named(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: str = "valid", dilation: Ints = 1, groups: int = 1) -> Tensor:
    """Convolution over three dimensions with padding "valid", none, or "same", as much as keeps the size."""

@op(method=False)
def conv_transpose1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1) -> Tensor:
    """Transposed convolution over one dimension: input (N, C, ...) or (C, ...), weight (C, O / groups, ...)."""

@op(method=False)
def conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1) -> Tensor:
    """Transposed convolution over two dimensions: input (N, C, ...) or (C, ...), weight (C, O / groups, ...)."""

@op(method=False)
def conv_transpose3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1) -> Tensor:
    """Transposed convolution over three dimensions: input (N, C, ...) or (C, ...), weight (C, O / groups, ...)."""
