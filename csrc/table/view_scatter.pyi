"""Copies with a part replaced: csrc/ops/view_scatter.c."""

@op(out=True, complex=True)
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """Copy in which select(dim, index) is src."""

@op(out=True, complex=True)
def slice_scatter(input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    """Copy in which the slice start:end:step of dim is src."""

@op(out=True, complex=True)
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Copy in which the diagonal is src."""

@op(out=True, complex=True)
def as_strided_scatter(input: Tensor, src: Tensor, size: Ints, stride: Ints, storage_offset: int | None = None) -> Tensor:
    """Copy in which as_strided(size, stride, storage_offset) is src."""
