"""Where elements stand: csrc/ops/places.c."""

@op(out=True, complex=True)
def trace(input: Tensor) -> Tensor:
    """Sum of a matrix's diagonal."""

@op(out=True, complex=True)
def rot90(input: Tensor, k: int = 1, dims: Ints = (0, 1)) -> Tensor:
    """Turned k times by 90 degrees, from the first of dims to the second."""

@op(function=False, inplace="only", complex=True)
def fill_diagonal(input: Tensor, fill_value: Number, wrap: bool = False) -> Tensor:
    """Fills the main diagonal; wrap: again and again down a tall matrix."""

@op(method=False, factory=True)
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: dtype | None = None) -> Tensor:
    """Rows and columns (2, n) of the lower triangle's elements."""

@op(method=False, factory=True)
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: dtype | None = None) -> Tensor:
    """Rows and columns (2, n) of the upper triangle's elements."""

@op(out=True, complex=True)
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The first `size` rows of nonzero, filled up with fill_value."""

@op(method=False)
def _block_diag(tensors: Tensors) -> Tensor:
    """Matrices along the diagonal of a larger one."""

@op(function=False, complex=True)
def sum_to_size(input: Tensor, *size: int) -> Tensor:
    """Summed over the dims along which `size` broadcasts to the tensor."""

@op(complex=True)
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape."""

@op(complex=True)
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Matrix with the flattened tensor on a diagonal."""
