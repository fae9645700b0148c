"""Views and shape: csrc/ops/view.c."""

@op(function=False, complex=True)
def view(input: Tensor, *size: int) -> Tensor:
    """The same elements in another shape, without a copy."""

@op(function=False, name="view", complex=True)
def view_dtype(input: Tensor, dtype: dtype) -> Tensor:
    """The same bytes read as another dtype."""

@op(function=False, complex=True)
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """view(other.shape)."""

@op(method=False, name="reshape", complex=True)
def reshape(input: Tensor, shape: Ints) -> Tensor:
    """The same elements in another shape: a view where strides allow, else a copy."""

@op(function=False, name="reshape", complex=True)
def reshape_method(input: Tensor, *shape: int) -> Tensor:
    """The same elements in another shape: a view where strides allow, else a copy."""

@op(function=False, complex=True)
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """reshape(other.shape)."""

@op(complex=True)
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dims start_dim to end_dim merged into one."""

@op(complex=True)
def unflatten(input: Tensor, dim: int, sizes: Ints) -> Tensor:
    """One dim split into several."""

@op(complex=True)
def ravel(input: Tensor) -> Tensor:
    """One-dimensional, row-major."""

@op(inplace="native", complex=True)
def t(input: Tensor) -> Tensor:
    """Transpose of at most two dims."""

@op(inplace="native", complex=True)
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dims exchanged."""

@op(inplace="native", complex=True)
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Two dims exchanged."""

@op(inplace="native", complex=True)
def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dims exchanged."""

@op(method=False, name="permute", complex=True)
def permute(input: Tensor, dims: Ints) -> Tensor:
    """Dims in another order."""

@op(function=False, name="permute", complex=True)
def permute_method(input: Tensor, *dims: int) -> Tensor:
    """Dims in another order."""

@op(complex=True)
def movedim(input: Tensor, source: Ints, destination: Ints) -> Tensor:
    """Dims moved to other places, the rest in order."""

@op()
def moveaxis(input: Tensor, source: Ints, destination: Ints) -> Tensor:
    """Dims moved to other places, the rest in order."""

@op(inplace="native", name="squeeze", complex=True)
def squeeze(input: Tensor) -> Tensor:
    """Without the dims of size 1."""

@op(inplace="native", name="squeeze", complex=True)
def squeeze_dim(input: Tensor, dim: int) -> Tensor:
    """Without this dim where its size is 1."""

@op(inplace="native", name="squeeze", complex=True)
def squeeze_dims(input: Tensor, dim: Ints) -> Tensor:
    """Without these dims where their size is 1."""

@op(inplace="native", complex=True)
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a dim of size 1 at dim."""

@op(function=False, complex=True)
def expand(input: Tensor, *size: int, implicit: bool = False) -> Tensor:
    """Dims of size 1 repeated without a copy; -1 keeps a size."""

@op(function=False, complex=True)
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """expand(other.shape)."""

@op(complex=True)
def broadcast_to(input: Tensor, size: Ints) -> Tensor:
    """expand(size)."""

@op(complex=True)
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice at one index of dim, without that dim."""

@op(complex=True)
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """length indices of dim from start on."""

@op(method=False, function=False, complex=True)
def slice(input: Tensor, dim: int, start: int | None, end: int | None, step: int = 1) -> Tensor:
    """input[start:end:step] along dim."""

@op(inplace="native", complex=True)
def as_strided(input: Tensor, size: Ints, stride: Ints, storage_offset: int | None = None) -> Tensor:
    """A view with any size, strides and offset (in elements)."""

@op(complex=True)
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Diagonal of two dims as the last dim of a view."""

@op(out=True, complex=True)
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Diagonal of a matrix, or the matrix with this diagonal."""

@op(complex=True)
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Zeros with the last dim on the diagonal of two new dims."""

@op(function=False, complex=True)
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of a dim, as a new last dim of a view."""

@op(complex=True)
def unbind(input: Tensor, dim: int = 0) -> list[Tensor]:
    """Slices along dim."""

@op(name="split", complex=True)
def split(input: Tensor, split_size: int, dim: int = 0) -> list[Tensor]:
    """Views of split_size indices of dim each, the last maybe smaller."""

@op(name="split", complex=True)
def split_sizes(input: Tensor, split_size_or_sections: Ints, dim: int = 0) -> list[Tensor]:
    """Views of these sizes along dim."""

@op(complex=True)
def chunk(input: Tensor, chunks: int, dim: int = 0) -> list[Tensor]:
    """At most `chunks` views of equal size along dim."""

@op(name="tensor_split", complex=True)
def tensor_split(input: Tensor, sections: int, dim: int = 0) -> list[Tensor]:
    """`sections` views of as equal size as possible."""

@op(name="tensor_split", complex=True)
def tensor_split_indices(input: Tensor, indices: Ints, dim: int = 0) -> list[Tensor]:
    """Views split before each of these indices."""

@op(complex=True)
def split_with_sizes(input: Tensor, split_sizes: Ints, dim: int = 0) -> list[Tensor]:
    """Views of these sizes along dim."""

@op(name="hsplit", complex=True)
def hsplit(input: Tensor, sections: int) -> list[Tensor]:
    """Views of as many equal parts of the columns (vectors: elements)."""

@op(name="hsplit", complex=True)
def hsplit_indices(input: Tensor, indices: Ints) -> list[Tensor]:
    """Views of the columns (vectors: elements) split before each of these indices."""

@op(name="vsplit", complex=True)
def vsplit(input: Tensor, sections: int) -> list[Tensor]:
    """Views of as many equal parts of the rows."""

@op(name="vsplit", complex=True)
def vsplit_indices(input: Tensor, indices: Ints) -> list[Tensor]:
    """Views of the rows split before each of these indices."""

@op(name="dsplit", complex=True)
def dsplit(input: Tensor, sections: int) -> list[Tensor]:
    """Views of as many equal parts of the dim 2."""

@op(name="dsplit", complex=True)
def dsplit_indices(input: Tensor, indices: Ints) -> list[Tensor]:
    """Views of the dim 2 split before each of these indices."""

@op(complex=True)
def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order, copied."""

@op(complex=True)
def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order, copied."""

@op(complex=True)
def flip(input: Tensor, dims: Ints) -> Tensor:
    """Dims in reverse order, copied."""

@op(complex=True)
def roll(input: Tensor, shifts: Ints, dims: Ints | None = None) -> Tensor:
    """Elements moved along dims, re-entering at the other end."""

@op(function=False, complex=True)
def repeat(input: Tensor, *repeats: int) -> Tensor:
    """Copies of the whole tensor along each dim."""

@op(complex=True)
def tile(input: Tensor, dims: Ints) -> Tensor:
    """Copies of the whole tensor along the last dims."""

@op(name="repeat_interleave", complex=True)
def repeat_interleave_tensor(input: Tensor, repeats: Tensor, dim: int | None = None) -> Tensor:
    """Each element repeated as often as repeats says, along dim or flattened."""

@op(name="repeat_interleave", complex=True)
def repeat_interleave(input: Tensor, repeats: int, dim: int | None = None) -> Tensor:
    """Each element repeated, along dim or flattened."""

@op(method=False, name="repeat_interleave", complex=True)
def repeat_interleave_counts(repeats: Tensor) -> Tensor:
    """Each place as often as repeats says there: 0 repeats[0] times, 1 repeats[1] times, ..."""

@op(inplace=True, out=True, complex=True)
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """Lower triangle, zero above the diagonal."""

@op(inplace=True, out=True, complex=True)
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """Upper triangle, zero below the diagonal."""
