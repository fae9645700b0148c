"""Views copied at once: csrc/ops/view_copy.c."""

@op(method=False, out=True, complex=True)
def alias_copy(input: Tensor) -> Tensor:
    """Copy of the whole tensor."""

@op(method=False, out=True, complex=True)
def detach_copy(input: Tensor) -> Tensor:
    """Copy outside the graph."""

@op(method=False, out=True, complex=True)
def as_strided_copy(input: Tensor, size: Ints, stride: Ints, storage_offset: int | None = None) -> Tensor:
    """Copy of as_strided(input, ...)."""

@op(method=False, out=True, complex=True)
def diagonal_copy(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Copy of diagonal(input, ...)."""

@op(method=False, out=True, complex=True)
def expand_copy(input: Tensor, size: Ints, *, implicit: bool = False) -> Tensor:
    """Copy of input.expand(size)."""

@op(out=True, complex=True)
def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """Copy of narrow(input, ...)."""

@op(method=False, out=True, complex=True)
def permute_copy(input: Tensor, dims: Ints) -> Tensor:
    """Copy of permute(input, dims)."""

@op(method=False, out=True, complex=True)
def select_copy(input: Tensor, dim: int, index: int) -> Tensor:
    """Copy of select(input, ...)."""

@op(method=False, out=True, complex=True)
def slice_copy(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    """Copy of input[start:end:step] along dim."""

@op(method=False, out=True, name="squeeze_copy", complex=True)
def squeeze_copy(input: Tensor) -> Tensor:
    """Copy without the dims of size 1."""

@op(method=False, out=True, name="squeeze_copy", complex=True)
def squeeze_copy_dims(input: Tensor, dim: Ints) -> Tensor:
    """Copy without these dims where their size is 1."""

@op(method=False, out=True, complex=True)
def view_as_real_copy(input: Tensor) -> Tensor:
    """Copy of view_as_real(input)."""

@op(method=False, out=True, complex=True)
def view_as_complex_copy(input: Tensor) -> Tensor:
    """Copy of view_as_complex(input)."""

@op(method=False, out=True, complex=True)
def t_copy(input: Tensor) -> Tensor:
    """Copy of the transpose of at most two dims."""

@op(method=False, out=True, complex=True)
def transpose_copy(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Copy with two dims exchanged."""

@op(method=False, out=True, complex=True)
def unfold_copy(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Copy of all windows of a dim."""

@op(method=False, out=True, complex=True)
def unsqueeze_copy(input: Tensor, dim: int) -> Tensor:
    """Copy with a dim of size 1 at dim."""

@op(method=False, out=True, name="view_copy", complex=True)
def view_copy(input: Tensor, size: Ints) -> Tensor:
    """Copy in another shape."""

@op(method=False, out=True, name="view_copy", complex=True)
def view_copy_dtype(input: Tensor, dtype: dtype) -> Tensor:
    """Copy of the bytes read as another dtype."""

@op(method=False, complex=True)
def split_copy(input: Tensor, split_size: int, dim: int = 0) -> list[Tensor]:
    """Copies of split_size indices of dim each."""

@op(method=False, complex=True)
def split_with_sizes_copy(input: Tensor, split_sizes: Ints, dim: int = 0) -> list[Tensor]:
    """Copies of these sizes along dim."""

@op(method=False, complex=True)
def unbind_copy(input: Tensor, dim: int = 0) -> list[Tensor]:
    """Copies of the slices along dim."""

@op(complex=True)
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> list[Tensor]:
    """split whose results autograd does not take for views."""

@op(complex=True)
def unsafe_split_with_sizes(input: Tensor, split_sizes: Ints, dim: int = 0) -> list[Tensor]:
    """split_with_sizes whose results autograd does not take for views."""

@op(complex=True)
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> list[Tensor]:
    """chunk whose results autograd does not take for views."""
