"""Functions of the torch namespace that are written with operators: broadcasting, grids, einsum."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from rushlight import _C
from rushlight._C import Tensor

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


def _overridden(function: Any, relevant: tuple, *args: Any, **kwargs: Any) -> Any:
    """What the __torch_function__ of the relevant arguments makes of the call."""
    from rushlight.overrides import handle_torch_function

    return handle_torch_function(function, relevant, *args, **kwargs)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Views of the tensors, all expanded to their common shape."""
    shape = broadcast_shapes(*(t.shape for t in tensors))
    return tuple(t.expand(shape) for t in tensors)


def meshgrid(*tensors: Tensor | Sequence[Tensor], indexing: str | None = None) -> tuple[Tensor, ...]:
    """Coordinates of the grid that 1-dim tensors span: one tensor for each of them.

    Args:
        indexing (str): "ij", the first tensor varies along dim 0 (default), or "xy", along dim 1.

    Raises:
        RuntimeError: a tensor of more than one dim, different dtypes, an unknown indexing.
    """
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    if _C._has_torch_function(tensors):
        return _overridden(meshgrid, tensors, *tensors, indexing=indexing)
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


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sum of products over dims of a and b.

    Args:
        dims (int or two lists of ints): the last `dims` dims of a with the first of b, or the dims listed.
    """
    if _C._has_torch_function_variadic(a, b):
        return _overridden(tensordot, (a, b), a, b, dims=dims)
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        dims = list(builtins.range(a.ndim - dims, a.ndim)), list(builtins.range(dims))
    left, right = ([d] if isinstance(d, int) else list(d) for d in dims)
    if len(left) != len(right):
        raise RuntimeError(
            "both dimension lists should have same length"
        )
    left, right = [d % a.ndim for d in left], [d % b.ndim for d in right]
    for i, j in zip(left, right, strict=True):
        if a.shape[i] != b.shape[j]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} "
                f"and second has size {b.shape[j]} in dim {j}"
            )
    free_a = [d for d in builtins.range(a.ndim) if d not in left]
    free_b = [d for d in builtins.range(b.ndim) if d not in right]
    inner = 1
    for d in left:
        inner *= a.shape[d]
    x = a.permute(free_a + left).reshape(-1, inner)
    y = b.permute(right + free_b).reshape(inner, -1)
    return (x @ y).reshape([a.shape[d] for d in free_a] + [b.shape[d] for d in free_b])


# ---- einsum ------------------------------------------------------------------------------------------


def einsum(equation: Any, *operands: Any) -> Tensor:
    """Sum of products in Einstein's notation: "ik,kj->ij" is a matrix product.

    Operands are multiplied from left to right, two at a time, as batched matrix products.

    Args:
        equation (str): letters for the dims of each operand, separated by commas; after "->" those of
            the result (without it: all letters that occur once, in alphabetical order). "..." stands
            for dims that broadcast. Or the list form: operand, dims, operand, dims, ..., [result dims].
        operands: tensors.

    Raises:
        RuntimeError: an equation that does not fit the operands.
    """
    if _C._has_torch_function(operands):
        return _overridden(einsum, operands, equation, *operands)
    if not isinstance(equation, str):
        equation, operands = _from_lists(equation, operands)
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    if not operands:
        raise RuntimeError("einsum(): must provide at least one operand")
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        more = "fewer" if len(terms) > len(operands) else "more"
        raise RuntimeError(
            f"einsum(): {more} operands were provided than specified in the equation"
        )
    ellipsis = 0  # dims that "..." stands for
    labels = []
    for i, (term, operand) in enumerate(zip(terms, operands, strict=True)):
        _check_dots(term, f"operand {i}")
        letters = term.replace("...", "")
        if not all(c.isascii() and c.isalpha() for c in letters):
            bad = next(c for c in letters if not (c.isascii() and c.isalpha()))
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {equation.index(bad)} in the equation "
                "string, subscripts must be in [a-zA-Z]"
            )
        spare = operand.ndim - len(letters)
        if spare < 0 or (spare and "..." not in term):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(letters)}) "
                f"{'does not match' if '...' not in term else 'is more than'} the number of dimensions "
                f"({operand.ndim}) for operand {i}{' and no ellipsis was given' if '...' not in term else ''}"
            )
        ellipsis = builtins.max(ellipsis, spare)
        labels.append((term, spare))

    def expand(term: str, spare: int) -> list:
        head, dots, tail = term.partition("...")
        middle = list(builtins.range(ellipsis - spare, ellipsis)) if dots else []
        return [*head, *middle, *tail]

    inputs = [expand(term, spare) for term, spare in labels]
    seen = [c for term in inputs for c in term]
    if arrow:
        _check_dots(right, "output")
        bad = next((c for c in right.replace("...", "") if not (c.isascii() and c.isalpha())), None)
        if bad is not None:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {equation.rindex(bad)} in the equation string, subscripts "
                "must be in [a-zA-Z]"
            )
        output = expand(right, ellipsis)
        for c in output:
            if isinstance(c, str) and c not in seen:
                raise RuntimeError(
                    f"einsum(): output subscript {c} does not appear in the equation for any input operand"
                )
            if output.count(c) > 1:
                raise RuntimeError(
                    f"einsum(): output subscript {c} appears more than once in the output"
                )
    else:
        output = list(builtins.range(ellipsis)) + builtins.sorted(
            {c for c in seen if isinstance(c, str) and seen.count(c) == 1}
        )
    sizes: dict = {}
    for i, (term, operand) in enumerate(zip(inputs, operands, strict=True)):
        for c, n in zip(term, operand.shape, strict=True):
            known = sizes.setdefault(c, n)
            if known == 1:
                sizes[c] = n
            elif n not in (1, known):
                raise RuntimeError(
                    f"einsum(): subscript {c} has size {n} for operand {i} which does not broadcast "
                    f"with previously seen size {known}"
                )
    result, term = _diagonals(operands[0], inputs[0])
    for k in builtins.range(1, len(operands)):
        later = {c for t in inputs[k + 1 :] for c in t} | set(output)
        result, term = _product(result, term, *_diagonals(operands[k], inputs[k]), later, output)
    gone = [d for d, c in enumerate(term) if c not in output]
    if gone:
        result = result.sum(gone)
        term = [c for c in term if c in output]
    return result.permute([term.index(c) for c in output])


def _check_dots(term: str, where: str) -> None:
    """Raises RuntimeError for dots that make no "..." or more than one."""
    rest = term.replace("...", "", 1)
    if "." in rest:
        if "..." not in term:
            dots = "" if where != "output" else " (...)"
            raise RuntimeError(f"einsum(): found '.' for {where} that is not part of any ellipsis{dots}")
        tail = "for which an ellipsis" if where != "output" else "but an ellipsis (...)"
        raise RuntimeError(f"einsum(): found '.' for {where} {tail} was already found")


def _from_lists(first: Any, rest: tuple) -> tuple[str, tuple]:
    """einsum(op1, dims1, op2, dims2, ..., [dims of the result]) in the notation of strings."""
    items = [first, *rest]

    def letters(dims: Sequence) -> str:
        return "".join(
            "..." if d is Ellipsis else chr(ord("A") + d if d < 26 else ord("a") + d - 26) for d in dims
        )

    result = letters(items.pop()) if len(items) % 2 else None
    text = ",".join(letters(d) for d in items[1::2])
    return (text if result is None else f"{text}->{result}"), tuple(items[::2])


def _diagonals(x: Tensor, term: list) -> tuple[Tensor, list]:
    """Takes the diagonal of dims that share a letter."""
    term = list(term)
    for c in dict.fromkeys(term):
        while term.count(c) > 1:
            i = term.index(c)
            j = term.index(c, i + 1)
            x = x.diagonal(0, i, j)
            del term[j], term[i]
            term.append(c)
    return x, term


def _product(x: Tensor, a: list, y: Tensor, b: list, later: set, output: list) -> tuple[Tensor, list]:
    """Product of two operands, summed over the letters that nobody needs later."""
    for c in [c for c in a if c in b]:  # size 1 on one side broadcasts: the letter is the other side's alone
        i, j = a.index(c), b.index(c)
        if x.shape[i] == 1 != y.shape[j]:
            x, a = x.squeeze(i), a[:i] + a[i + 1 :]
        elif y.shape[j] == 1 != x.shape[i]:
            y, b = y.squeeze(j), b[:j] + b[j + 1 :]
    for c in [c for c in a if c not in b and c not in later]:
        x = x.sum(a.index(c))
        a = [d for d in a if d != c]
    for c in [c for c in b if c not in a and c not in later]:
        y = y.sum(b.index(c))
        b = [d for d in b if d != c]
    shared = [c for c in a if c in b]
    summed = [c for c in shared if c not in later]
    batch = [c for c in shared if c in later]
    rows = [c for c in a if c not in b]
    columns = [c for c in b if c not in a]
    if not summed:  # element by element
        order = builtins.sorted(dict.fromkeys(a + b), key=lambda c: _place([c], output))
        return _aligned(x, a, order) * _aligned(y, b, order), order
    if rows and columns and _place(columns, output) < _place(rows, output):  # the result's order needs no transposing
        x, a, rows, y, b, columns = y, b, columns, x, a, rows
    x = x.permute([a.index(c) for c in batch + rows + summed])
    y = y.permute([b.index(c) for c in batch + summed + columns])
    n = len(batch)
    size_x, size_y = list(x.shape), list(y.shape)
    shape = size_x[:n]
    m, k = len(rows), len(summed)

    def count(sizes: list) -> int:
        total = 1
        for s in sizes:
            total *= s
        return total

    inner = count(size_x[n + m :])
    left = x.expand(shape + size_x[n:]).reshape(count(shape), count(size_x[n : n + m]), inner)
    right = y.expand(shape + size_y[n:]).reshape(count(shape), inner, count(size_y[n + k :]))
    z = _C.bmm(left, right) if n else _C.mm(left[0], right[0])
    return z.reshape(shape + size_x[n : n + m] + size_y[n + k :]), batch + rows + columns


def _aligned(x: Tensor, term: list, order: list) -> Tensor:
    """x with its dims in this order, and of size 1 where it has none."""
    x = x.permute([term.index(c) for c in order if c in term])
    for d, c in enumerate(order):
        if c not in term:
            x = x.unsqueeze(d)
    return x


def _place(letters: list, output: list) -> int:
    """Where the first of the letters stands in the result; behind it where none does."""
    return builtins.min((output.index(c) for c in letters if c in output), default=len(output))


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
