"""Different elements, places in sorted sequences, histograms: csrc/ops/unique.c, csrc/ops/search.c, csrc/ops/histogram.c."""

@op(method=False)
def _unique2(input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """The different elements in ascending order, each element's number among them, and their counts."""

@op(method=False)
def _unique_dim(input: Tensor, dim: int, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """The different slices along dim in lexical order, each slice's number among them, and their counts."""

@op(method=False)
def _unique_consecutive(input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """The first of each run of equal elements (slices), each one's run, and the runs' lengths."""

@op(method=False, out=True)
def bucketize(input: TensorLike, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The bucket of each element between sorted boundaries; right: a boundary belongs to the next bucket."""

@op(method=False, out=True)
def searchsorted(sorted_sequence: Tensor, input: TensorLike, *, out_int32: bool = False, right: bool = False, side: str | None = None, sorter: Tensor | None = None) -> Tensor:
    """Where in (each row of) sorted_sequence the values would be put."""

@op(method=False, out=True, name="isin")
def isin(elements: Tensor, test_elements: TensorLike, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element is one of test_elements."""

@op(method=False, out=True, name="isin")
def isin_number(element: Number, test_elements: Tensor, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether the number is one of test_elements."""

@op()
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, ... occurs, or the sums of their weights."""

@op(out=True)
def histc(input: Tensor, bins: int = 100, min: Number = 0, max: Number = 0) -> Tensor:
    """Counts in bins of equal width from min to max (of the data when equal)."""

@op(method=False, returns=("hist", "bin_edges"))
def _histogram(input: Tensor, bins: int, left: float | None, right: float | None, weight: Tensor | None, density: bool) -> tuple[Tensor, Tensor]:
    """Counts, sums of weights or density in bins of equal width, and the bins' edges."""

@op(method=False, returns=("hist", "bin_edges"))
def _histogram_edges(input: Tensor, bins: Tensor, weight: Tensor | None, density: bool) -> tuple[Tensor, Tensor]:
    """Counts, sums of weights or density between given edges."""
