"""Reductions: csrc/ops/reduce.c."""

@op(out=True, complex=True)
def sum(input: Tensor, dim: Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Sum over the given dims, or all."""

@op(out=True)
def nansum(input: Tensor, dim: Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Sum with nan counted as 0."""

@op(out=True, complex=True)
def mean(input: Tensor, dim: Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Mean over the given dims, or all."""

@op(name="prod", complex=True)
def prod(input: Tensor, *, dtype: dtype | None = None) -> Tensor:
    """Product of all elements."""

@op(name="prod", out=True, complex=True)
def prod_dim(input: Tensor, dim: int, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Product along dim."""

@op(name="max")
def max(input: Tensor) -> Tensor:
    """Largest element; nan wins."""

@op(name="max", out=True)
def max_other(input: Tensor, other: Tensor) -> Tensor:
    """maximum(input, other)."""

@op(name="max", out=True, returns=("values", "indices"))
def max_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Largest elements along dim, and where they are."""

@op(name="min")
def min(input: Tensor) -> Tensor:
    """Smallest element; nan wins."""

@op(name="min", out=True)
def min_other(input: Tensor, other: Tensor) -> Tensor:
    """minimum(input, other)."""

@op(name="min", out=True, returns=("values", "indices"))
def min_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Smallest elements along dim, and where they are."""

@op(out=True)
def amax(input: Tensor, dim: Ints | None = None, keepdim: bool = False) -> Tensor:
    """Largest elements over dims; equal maxima share the gradient."""

@op(out=True)
def amin(input: Tensor, dim: Ints | None = None, keepdim: bool = False) -> Tensor:
    """Smallest elements over dims; equal minima share the gradient."""

@op(out=True)
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Index of the largest element along dim, or in the flattened tensor."""

@op(out=True)
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Index of the smallest element along dim, or in the flattened tensor."""

@op(out=True, complex=True)
def all(input: Tensor, dim: Ints | None = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are non-zero."""

@op(out=True, complex=True)
def any(input: Tensor, dim: Ints | None = None, keepdim: bool = False) -> Tensor:
    """Whether any element is non-zero."""

@op(name="var", complex=True)
def var_unbiased(input: Tensor, unbiased: bool) -> Tensor:
    """Variance of all elements."""

@op(name="var", out=True, complex=True)
def var(input: Tensor, dim: Ints | None = None, *, correction: Number | None = None, keepdim: bool = False) -> Tensor:
    """Variance over dims: squared deviations over n - correction (1 unless given)."""

@op(name="var", out=True, complex=True)
def var_dim_unbiased(input: Tensor, dim: Ints | None, unbiased: bool = True, keepdim: bool = False) -> Tensor:
    """Variance over dims: squared deviations over n - 1, or n."""

@op(name="std", complex=True)
def std_unbiased(input: Tensor, unbiased: bool) -> Tensor:
    """Standard deviation of all elements."""

@op(name="std", out=True, complex=True)
def std(input: Tensor, dim: Ints | None = None, *, correction: Number | None = None, keepdim: bool = False) -> Tensor:
    """Standard deviation over dims."""

@op(name="std", out=True, complex=True)
def std_dim_unbiased(input: Tensor, dim: Ints | None, unbiased: bool = True, keepdim: bool = False) -> Tensor:
    """Standard deviation over dims."""

@op(method=False, complex=True)
def var_mean(input: Tensor, dim: Ints | None = None, *, correction: Number | None = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Variance and mean over dims."""

@op(method=False, complex=True)
def std_mean(input: Tensor, dim: Ints | None = None, *, correction: Number | None = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Standard deviation and mean over dims."""

@op(out=True, complex=True)
def norm(input: Tensor, p: Number | None = 2, dim: Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """p-norm over dims: (sum of |x|^p)^(1/p); p may be inf, -inf, 0."""

@op(name="norm", out=True, complex=True)
def norm_named(input: Tensor, p: str, dim: Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """The Frobenius norm, p = "fro": root of the sum of squares over dims."""

@op(out=True, inplace=True, complex=True)
def cumsum(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor:
    """Running sum along dim."""

@op(out=True, inplace=True, complex=True)
def cumprod(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor:
    """Running product along dim."""

@op(out=True, returns=("values", "indices"))
def cummax(input: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Running maximum along dim, and where it stood."""

@op(out=True, returns=("values", "indices"))
def cummin(input: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Running minimum along dim, and where it stood."""

@op(out=True, complex=True)
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """log of the running sum of exp along dim, stable."""

@op(out=True, returns=("min", "max"))
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Smallest and largest element along dim, or of all."""

@op(name="median")
def median(input: Tensor) -> Tensor:
    """Median; the lower of two."""

@op(name="median", out=True, returns=("values", "indices"))
def median_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Median along dim, and where it is."""

@op(name="nanmedian")
def nanmedian(input: Tensor) -> Tensor:
    """Median of the numbers, nan left out; the lower of two."""

@op(name="nanmedian", out=True, returns=("values", "indices"))
def nanmedian_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Median of the numbers, nan left out along dim, and where it is."""

@op(out=True, returns=("values", "indices"))
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Most frequent element along dim, and where its last copy is."""

@op(out=True)
def nanmean(input: Tensor, dim: Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Mean over dims of what is not nan."""

@op(name="quantile", out=True)
def quantile_tensor(input: Tensor, q: Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Tensor:
    """Quantiles q along dim, or of all elements."""

@op(name="quantile", out=True)
def quantile(input: Tensor, q: float, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Tensor:
    """Quantile q along dim, or of all elements."""

@op(name="nanquantile", out=True)
def nanquantile_tensor(input: Tensor, q: Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Tensor:
    """Quantiles q along dim, or of all elements, nan left out."""

@op(name="nanquantile", out=True)
def nanquantile(input: Tensor, q: float, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Tensor:
    """Quantile q along dim, or of all elements, nan left out."""

@op(complex=True)
def count_nonzero(input: Tensor, dim: Ints | None = None) -> Tensor:
    """How many elements are not zero."""
