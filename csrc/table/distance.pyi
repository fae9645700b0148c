"""Vectors in space, distances: csrc/ops/products.c, csrc/ops/distance.c."""

@op(out=True, complex=True)
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """Dot product of two vectors."""

@op(out=True, complex=True)
def kron(input: Tensor, other: Tensor) -> Tensor:
    """Kronecker product: each element of input times the whole of other."""

@op(out=True, complex=True)
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Cross product of vectors of size 3 along dim, by default the first dim of size 3."""

@op(complex=True)
def dist(input: Tensor, other: Tensor, p: Number = 2) -> Tensor:
    """p-norm of input - other."""

@op(method=False, complex=True)
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-06, keepdim: bool = False) -> Tensor:
    """p-norm of x1 - x2 + eps over the last dim."""

@op(method=False)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-08) -> Tensor:
    """Dot product over dim of x1 and x2, each divided by its 2-norm (by eps where that is smaller)."""

@op(method=False)
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """p-norms of the differences of all rows of x1 (..., P, M) and x2 (..., R, M): (..., P, R)."""

@op(method=False)
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """p-norms of the differences of all pairs of rows, those of the first row first."""

@op(nn=True, complex=True)
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input (*, k) @ weight (n, k) transposed + bias (n)."""
