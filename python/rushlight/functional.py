"""Functions of the torch namespace that are written with operators: broadcasting, grids, histograms."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight._C import Tensor

if TYPE_CHECKING:  # what type checkers and editors cannot see below
    from rushlight._contraction import einsum, tensordot

__all__ = [
    "addmv_",
    "adjoint",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block_diag",
    "broadcast_shapes",
    "broadcast_tensors",
    "cartesian_prod",
    "column_stack",
    "combinations",
    "dstack",
    "einsum",
    "histogram",
    "histogramdd",
    "meshgrid",
    "resize_as_",
    "row_stack",
    "tensordot",
    "unique",
    "unique_consecutive",
    "unravel_index",
    "vander",
]


# What torch.functional has, too, and another module defines.
_ELSEWHERE = {
    "cdist": "rushlight._C",
    **dict.fromkeys(("einsum", "tensordot"), "rushlight._contraction"),
    **dict.fromkeys(("istft", "stft"), "rushlight.signal._spectrum"),
    **dict.fromkeys(("chain_matmul", "lu", "norm", "pca_lowrank", "svd_lowrank"), "rushlight.linalg._spellings"),
}


def __getattr__(name: str) -> Any:
    """The functions of _ELSEWHERE, imported when they are mentioned."""
    if name not in _ELSEWHERE:
        raise AttributeError(f"module 'rushlight.functional' has no attribute '{name}'", name=name)
    from importlib import import_module

    return getattr(import_module(_ELSEWHERE[name]), name)


def broadcast_shapes(*shapes: int | Sequence[int]) -> Any:
    """Shape of an element-wise operator on tensors of these shapes.

    Raises:
        RuntimeError: the shapes do not broadcast.
    """
    sizes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    ndim = builtins.max((len(s) for s in sizes), default=0)
    result = [1] * ndim
    for size in sizes:
        for d in builtins.range(1, len(size) + 1):
            n = size[-d]
            if n < 0:
                raise RuntimeError(
                    f"Trying to create tensor with negative dimension ({n}): ({n})"
                )
            if n == 1 or n == result[-d]:
                continue
            if result[-d] != 1:
                raise RuntimeError(
                    "Shape mismatch: objects cannot be broadcast to a single shape"
                )
            result[-d] = n
    return _C.Size(result)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors, expanded to their common shape where they have another."""
    shape = broadcast_shapes(*(t.shape for t in tensors))
    return tuple(t if t.shape == shape else t.expand(shape) for t in tensors)


def meshgrid(*tensors: Tensor | Sequence[Tensor], indexing: str | None = None) -> tuple[Tensor, ...]:
    """Coordinates of the grid that 1-dim tensors span: one tensor for each of them.

    Args:
        indexing (str): "ij", the first tensor varies along dim 0 (default), or "xy", along dim 1.

    Raises:
        RuntimeError: a tensor of more than one dim, different dtypes, an unknown indexing.
    """
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    if any(t.ndim > 1 for t in tensors):
        first = next(t for t in tensors if t.ndim > 1)
        raise RuntimeError(
            f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {first}"
        )
    if any(t.dtype != tensors[0].dtype for t in tensors):
        raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype")
    order = list(tensors)
    swap = indexing == "xy" and len(order) >= 2
    if swap:
        order[0], order[1] = order[1], order[0]
    shape = [t.numel() for t in order]
    grids = [
        t.reshape([-1 if d == i else 1 for d in builtins.range(len(order))]).expand(shape)
        for i, t in enumerate(order)
    ]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of the elements of 1-dim tensors, one per row."""
    if len(tensors) == 1:
        return tensors[0]
    return _C.stack([g.reshape(-1) for g in meshgrid(*tensors)], dim=1)


def _at_least(tensors: tuple, grow: Any) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        return tuple(grow(t) for t in tensors[0])
    return grow(tensors[0]) if len(tensors) == 1 else tuple(grow(t) for t in tensors)


def atleast_1d(*tensors: Any) -> Any:
    """Views with at least one dim."""
    return _at_least(tensors, lambda t: t if t.ndim else t.reshape(1))


def atleast_2d(*tensors: Any) -> Any:
    """Views with at least two dims; a vector becomes a row."""
    return _at_least(tensors, lambda t: t if t.ndim > 1 else t.reshape(1, -1))


def atleast_3d(*tensors: Any) -> Any:
    """Views with at least three dims; a vector becomes (1, n, 1), a matrix (m, n, 1)."""

    def grow(t: Tensor) -> Tensor:
        if t.ndim > 2:
            return t
        return t.unsqueeze(-1) if t.ndim == 2 else t.reshape(1, -1, 1)

    return _at_least(tensors, grow)


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors joined along dim 2."""
    return _C.cat(list(atleast_3d(list(tensors))), 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Vectors as columns, and matrices, joined along dim 1."""
    return _C.cat([t.reshape(t.numel(), 1) if t.ndim < 2 else t for t in tensors], 1)


row_stack = _C.vstack


def block_diag(*tensors: Tensor) -> Tensor:
    """Matrices, vectors (as rows) and numbers along the diagonal of a larger matrix, zero elsewhere.

    Raises:
        RuntimeError: a tensor of more than two dims.
    """
    return _C._block_diag(tensors)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All combinations of r elements of a vector, one per row, in the order of itertools.combinations.

    Raises:
        RuntimeError: input is no vector, r is negative.
    """
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return _C.empty((0,), dtype=input.dtype)
    n = input.numel()
    places = meshgrid(*[_C.arange(n)] * r, indexing="ij")
    mask = _C.ones((n,) * r, dtype=_C.bool)
    for i in builtins.range(r - 1):
        before, after = places[i], places[i + 1]
        mask = mask & (before <= after if with_replacement else before < after)
    return _C.stack([grid.masked_select(mask) for grid in meshgrid(*[input] * r, indexing="ij")], 1)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Powers of a vector's elements as columns: N of them (as many as elements unless given), falling.

    Raises:
        RuntimeError: x is no vector, N is negative.
    """
    if x.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    n = x.numel() if N is None else N
    if n < 0:
        raise RuntimeError("N must be non-negative.")
    dtype = x.dtype if x.is_floating_point() else _C.int64
    if n == 0:
        return _C.empty((x.numel(), 0), dtype=dtype)
    columns = [_C.ones((x.numel(), 1), dtype=dtype)]
    if n > 1:
        columns.append(_C.cumprod(x.to(dtype).unsqueeze(1).expand(-1, n - 1), 1))
    result = _C.cat(columns, 1)
    return result if increasing else _C.flip(result, (1,))


def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Coordinates, one tensor per dim, of positions in a flattened tensor of this shape.

    Raises:
        TypeError: indices are no integers, shape is no size.
        ValueError: a negative size, positions outside of the shape.
    """
    if indices.is_floating_point() or indices.dtype == _C.bool:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if not isinstance(shape, (int, list, tuple)) or isinstance(shape, bool):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not all(isinstance(n, int) for n in sizes):
        odd = next(n for n in sizes if not isinstance(n, int))
        raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(odd)}")
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    result = []
    for n in reversed(sizes):
        result.append(indices % n)
        indices = indices.div(n, rounding_mode="floor")
    return _C.stack(result[::-1], -1).unbind(-1) if result else ()


def resize_as_(input: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """Changes input's size in place to the_template's."""
    return input.resize_as_(the_template)


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements, or slices along dim, in ascending order.

    Args:
        return_inverse (bool): also each element's number among them, in input's shape.
        return_counts (bool): also how often each occurs.

    Returns:
        a tensor, or a tuple when more is asked for.
    """
    if dim is None:
        found = _C._unique2(input, sorted, return_inverse, return_counts)
    else:
        found = _C._unique_dim(input, dim, sorted, return_inverse, return_counts)
    return _asked_for(found, return_inverse, return_counts)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The first of each run of equal elements, or slices along dim; returns as unique."""
    found = _C._unique_consecutive(input, return_inverse, return_counts, dim)
    return _asked_for(found, return_inverse, return_counts)


def _asked_for(found: tuple, inverse: bool, counts: bool) -> Any:
    values, where, number = found
    if not inverse and not counts:
        return values
    return (values, *([where] if inverse else []), *([number] if counts else []))


def histogram(
    input: Tensor,
    bins: int | Tensor = 100,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
    out: tuple[Tensor, Tensor] | None = None,
) -> Any:
    """Counts of the elements between edges, and the edges.

    Args:
        bins (int or Tensor): how many bins of equal width, or the edges.
        range (two floats): leftmost and rightmost edge; those of the data unless given.
        weight (Tensor): adds up these instead of ones; of input's shape and dtype.
        density (bool): divide so that the sum of count times width is 1.

    Raises:
        RuntimeError: bins, range or weight that do not fit.
    """
    if isinstance(bins, Tensor):
        result = _C._histogram_edges(input, bins, weight, density)
    else:
        if range is not None and len(range) != 2:
            raise RuntimeError(
                f"torch.histogramdd: for a 1-dimensional histogram range should have 2 elements, but got {len(range)}"
            )
        left, right = (None, None) if range is None else range
        result = _C._histogram(input, bins, left, right, weight, density)
    if out is None:
        return result
    for target, value in zip(out, result, strict=True):
        target.resize_(value.shape).copy_(value)
    return out


def histogramdd(
    input: Tensor,
    bins: int | Sequence[int] | Sequence[Tensor],
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """Counts of points (rows of input) in boxes, and the boxes' edges along each dim.

    Args:
        input (Tensor): (*, d) coordinates of points.
        bins: how many along each dim (or along all), or the edges.
        range (2 d floats): leftmost and rightmost edges; those of the data unless given.
        weight (Tensor): (*) adds up these instead of ones.
        density (bool): divide so that the sum of count times volume is 1.
    """
    if input.ndim < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    d = input.shape[-1]
    points = input.detach().reshape(-1, d)
    sizes = [bins] * d if isinstance(bins, int) else list(bins)
    if len(sizes) != d:
        raise RuntimeError(
            f"torch.histogramdd: expected {d} bin edges for a {d}-dimensional histogram, but got {len(sizes)}"
        )
    if range is not None and len(range) != 2 * d:
        raise RuntimeError(
            f"torch.histogramdd: for a {d}-dimensional histogram range should have {2 * d} elements, "
            f"but got {len(range)}"
        )
    edges = []
    inside = _C.ones(points.shape[0], dtype=_C.bool)
    place = _C.zeros(points.shape[0], dtype=_C.int64)
    shape = []
    for i, size in enumerate(sizes):
        column = points[:, i].contiguous()
        if isinstance(size, Tensor):
            edge = size
        else:
            left, right = (None, None) if range is None else range[2 * i : 2 * i + 2]
            edge = _C._histogram(column, size, left, right, None, False)[1]
        n = edge.numel() - 1
        at = _C.clamp_max(_C.searchsorted(edge, column, right=True) - 1, n - 1)
        inside = inside & (column >= edge[0]) & (column <= edge[-1])
        place = place * n + at
        edges.append(edge)
        shape.append(n)
    total = 1
    for n in shape:
        total *= n
    chosen = (_C.ones(points.shape[0], dtype=input.dtype) if weight is None else weight.reshape(-1))[inside]
    hist = _C.bincount(place[inside], chosen, total).to(input.dtype).reshape(shape)
    if density:
        hist = hist / hist.sum()
        for i, edge in enumerate(edges):
            hist = hist / (edge[1:] - edge[:-1]).reshape([-1 if j == i else 1 for j in builtins.range(d)])
    return hist, tuple(edges)


def adjoint(input: Tensor) -> Tensor:
    """The matrices transposed, a view; of complex numbers also conjugate, a copy."""
    return input.transpose(-2, -1).conj()


def addmv_(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta * input + alpha * mat @ vec, written to input."""
    return input.addmv_(mat, vec, beta=beta, alpha=alpha)


# ---- methods that are functions too ------------------------------------------------------------------

detach_, fill_, gcd_, index_put_, lcm_, round_ = (
    getattr(Tensor, name) for name in ("detach_", "fill_", "gcd_", "index_put_", "lcm_", "round_")
)


def fill(input: Tensor, value: Any) -> Tensor:
    """A tensor like input, filled with one value; differentiable with respect to value."""
    return input.clone().fill_(value)


def get_device(input: Tensor) -> int:
    """Index of the accelerator that holds input: -1, it is the CPU."""
    return input.get_device()


def is_conj(input: Tensor) -> bool:
    """False: conjugates are computed at once."""
    return input.is_conj()


def is_neg(input: Tensor) -> bool:
    """Whether input is a view that negates lazily: never, nothing is lazy here."""
    return False


def empty_permuted(size: Sequence[int], physical_layout: Sequence[int], **options: Any) -> Tensor:
    """Uninitialised tensor of this size whose dims lie in memory in the order of physical_layout, outermost first.

    Raises:
        RuntimeError: physical_layout is no permutation of the dims.
    """
    if builtins.sorted(physical_layout) != list(builtins.range(len(size))):
        raise RuntimeError(
            f"empty_permuted: physical_layout {tuple(physical_layout)} is not a permutation of the dims of {tuple(size)}"
        )
    inverse = [list(physical_layout).index(d) for d in builtins.range(len(size))]
    return _C.empty([size[d] for d in physical_layout], **options).permute(inverse)


spmm = _C.mm  #: the product with a sparse matrix in PyTorch; here with what mm takes
