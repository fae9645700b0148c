"""Indexing: csrc/ops/index.c, csrc/ops/scatter.c."""

@op(method=False, function=False, complex=True)
def index(input: Tensor, indices: OptionalTensors) -> Tensor:
    """input[indices]: index tensors per dim, NULL for a whole dim; NumPy's rules."""

@op(inplace="native", complex=True)
def index_put(input: Tensor, indices: OptionalTensors, values: Tensor, accumulate: bool = False) -> Tensor:
    """input[indices] = values, or += with accumulate."""

@op(out=True, complex=True)
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Slices of dim in the order of index."""

@op(inplace=True, complex=True)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
    """alpha * source added to the slices of dim named by index."""

@op(inplace=True, complex=True)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """source written to the slices of dim named by index."""

@op(inplace=True, complex=True)
def index_fill(input: Tensor, dim: int, index: Tensor, value: TensorLike) -> Tensor:
    """value written to the slices of dim named by index."""

@op(out=True, complex=True)
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0, and so on."""

@op(inplace=True, name="scatter", complex=True)
def scatter(input: Tensor, dim: int, index: Tensor, src: TensorLike, *, reduce: str | None = None) -> Tensor:
    """out[index[i][j]][j] = src[i][j] for dim 0, and so on; reduce "add" or "multiply"."""

@op(inplace=True, name="scatter", complex=True)
def scatter_value(input: Tensor, dim: int, index: Tensor, value: Number, *, reduce: str | None = None) -> Tensor:
    """out[index[i][j]][j] = value for dim 0, and so on."""

@op(inplace=True, complex=True)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """out[index[i][j]][j] += src[i][j] for dim 0, and so on."""

@op(inplace=True, out=True)
def scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """src reduced into the places that index names along dim: "sum", "prod", "mean", "amax" or "amin"."""

@op(inplace=True, out=True)
def index_reduce(input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """Slices of source reduced into the slices of dim named by index: "prod", "mean", "amax" or "amin"."""

@op(inplace=True, out=True)
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """source written to (or added to) places of the flattened tensor."""

@op(inplace=True, out=True)
def renorm(input: Tensor, p: Number, dim: int, maxnorm: Number) -> Tensor:
    """Slices along dim whose p-norm exceeds maxnorm scaled down to it."""

@op(out=True, complex=True)
def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements of the flattened tensor."""

@op(out=True, complex=True)
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Elements along dim at indices, broadcast."""

@op(out=True, complex=True)
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """Elements where mask is true, flattened."""

@op(inplace="native", complex=True)
def masked_fill(input: Tensor, mask: Tensor, value: TensorLike) -> Tensor:
    """value where mask is true, the element elsewhere."""

@op(inplace=True, complex=True)
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Elements of source, in order, where mask is true."""

@op(method=False, function=False)
def nonzero(input: Tensor) -> Tensor:
    """Indices (n, ndim) of the elements that are not zero."""

@op(method=False, function=False)
def nonzero_tuple(input: Tensor) -> list[Tensor]:
    """Indices of the elements that are not zero, one tensor per dim."""

@op(out=True, name="where", complex=True)
def where(condition: Tensor, input: TensorLike, other: TensorLike) -> Tensor:
    """input where condition is true, other elsewhere."""

@op(method=False, name="where", complex=True)
def where_nonzero(condition: Tensor) -> list[Tensor]:
    """Indices where condition is true, one tensor per dim."""

@op(out=True, returns=("values", "indices"))
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The k largest (smallest) elements along dim, and where they are."""

@op(out=True, returns=("values", "indices"))
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The k-th smallest element along dim, and where it is."""

@op(out=True, returns=("values", "indices"))
def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> tuple[Tensor, Tensor]:
    """Elements in order along dim, and where they were."""

@op(out=True)
def msort(input: Tensor) -> Tensor:
    """Elements in ascending order along the first dim."""

@op(complex=True)
def argwhere(input: Tensor) -> Tensor:
    """Indices (n, ndim) of the elements that are not zero."""

@op()
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """Where the sorted elements were."""
