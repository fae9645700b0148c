"""Hints for views, joins and repetitions: shapes, strides and dims."""

from __future__ import annotations

import math

from ..draw import Draw, X
from .registry import hint

def regroup(draw: Draw, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes with the same product, mostly."""
    n = math.prod(shape)
    sizes = []
    for _ in range(draw.int(0, 3)):
        divisors = [d for d in range(1, n + 1) if n % d == 0] or [0, 1, 2]
        d = draw.choice(divisors)
        sizes.append(d)
        n = n // d if d else n
    sizes.append(n)
    if draw.chance(0.3):
        sizes[draw.int(0, len(sizes) - 1)] = -1
    if draw.chance(0.08):
        sizes.append(draw.int(-2, 3))
    return tuple(sizes)


@hint("view", "reshape", "reshape_method")
def _(draw, values):
    values["shape" if "shape" in values else "size"] = regroup(draw, draw.base.shape)


@hint("view_as", "reshape_as")
def _(draw, values):
    shape = tuple(1 if s < 0 else s for s in regroup(draw, draw.base.shape))
    values["other"] = draw.x(shape)


@hint("unflatten")
def _(draw, values):
    values["dim"] = draw.dim()
    values["sizes"] = regroup(draw, (draw.size_of(values["dim"]),))


@hint("expand", "broadcast_to")
def _(draw, values):
    shape = [s if s != 1 else draw.int(0, 3) for s in draw.base.shape]
    shape = [-1 if draw.chance(0.2) else s for s in shape]
    shape = [draw.int(0, 2) for _ in range(draw.choice((0, 0, 1, 2)))] + shape
    if draw.chance(0.1):
        shape = shape[1:] if draw.chance(0.5) else [-1, *shape]
    values["size"] = tuple(shape)


@hint("expand_as")
def _(draw, values):
    shape = tuple(s if s != 1 else draw.int(1, 3) for s in draw.base.shape)
    values["other"] = draw.x((2, *shape) if draw.chance(0.4) else shape if draw.chance(0.9) else draw.shape())


@hint("permute", "permute_method")
def _(draw, values):
    dims = list(range(draw.rank))
    draw.random.shuffle(dims)
    dims = [d - draw.rank if draw.chance(0.3) else d for d in dims]
    if draw.chance(0.1):
        dims = dims[1:] if draw.chance(0.5) else [*dims, draw.dim()]
    values["dims"] = tuple(dims)


@hint("movedim")
def _(draw, values):
    source = draw.dims()
    target = list(range(draw.rank))
    draw.random.shuffle(target)
    n = 1 if isinstance(source, int) else len(source)
    values["source"] = source
    values["destination"] = (draw.dim() if isinstance(source, int) else tuple(target[:n]) if draw.chance(0.9) else draw.dims())


@hint("select")
def _(draw, values):
    values["dim"] = draw.dim()
    n = draw.size_of(values["dim"])
    values["index"] = draw.int(-n - 1, n)


@hint("narrow")
def _(draw, values):
    values["dim"] = draw.dim()
    n = draw.size_of(values["dim"])
    values["start"] = draw.int(-n - 1, n + 1)
    values["length"] = draw.int(-1, n)


@hint("as_strided")
def _(draw, values):
    rank = draw.int(0, 3)
    values["size"] = tuple(draw.int(0, 3) for _ in range(rank))
    values["stride"] = tuple(draw.choice((0, 1, 1, 2, 3, 4, -1) if draw.chance(0.1) else (0, 1, 1, 2, 3)) for _ in range(rank))


@hint("unfold")
def _(draw, values):
    values["dimension"] = draw.dim()
    n = draw.size_of(values["dimension"])
    values["size"] = draw.int(-1, n + 1) if draw.chance(0.2) else draw.int(0, n)
    values["step"] = draw.int(-1, 3) if draw.chance(0.2) else draw.int(1, 3)


@hint("unsqueeze")
def _(draw, values):
    values["dim"] = draw.dim(1)


@hint("diag", "tril", "triu", "diagonal")
def _(draw, values):
    if values.get("diagonal") is None:
        values["input"] = draw.x(draw.shape(1, 3), draw.base.dtype)


@hint("diag_embed")
def _(draw, values):
    values["input"] = draw.x(draw.shape(0, 3), draw.base.dtype)
    draw.base = values["input"]
    for name in ("dim1", "dim2"):
        if name in values:
            values[name] = draw.dim(1)


@hint("split_sizes")
def _(draw, values):
    dim = values.get("dim", 0)
    left, sizes = draw.size_of(dim), []
    for _ in range(draw.int(0, 2)):
        sizes.append(draw.int(0, max(left, 0)))
        left -= sizes[-1]
    values["split_size_or_sections"] = [*sizes, left if draw.chance(0.9) else 1]


@hint("flip")
def _(draw, values):
    values["dims"] = draw.dims()


@hint("roll")
def _(draw, values):
    dims = draw.dims()
    n = 1 if isinstance(dims, int) else len(dims)
    values["shifts"] = tuple(draw.int(-7, 7) for _ in range(n)) if not isinstance(dims, int) else draw.int(-7, 7)
    if draw.chance(0.8):
        values["dims"] = dims


@hint("repeat", "tile")
def _(draw, values):
    n = draw.rank + draw.int(-1, 1) if draw.chance(0.4) else draw.rank
    values["repeats" if "repeats" in values else "dims"] = tuple(draw.choice((1, 2, 1, 0, 3)) for _ in range(max(n, 0)))


@hint("repeat_interleave_tensor")
def _(draw, values):
    n = draw.size_of(values["dim"]) if values.get("dim") is not None else math.prod(draw.base.shape)
    shape = () if draw.chance(0.2) else (1,) if draw.chance(0.2) else (n,)
    values["repeats"] = X(shape, draw.choice(("int64", "int64", "int32", "float32")), "", "index", draw.int(0, 99), 0, 4)


@hint("repeat_interleave")
def _(draw, values):
    values["repeats"] = draw.int(-1, 3)


@hint("cat", "concat", "concatenate")
def _(draw, values):
    draw.base = None
    first = draw.x(draw.shape(1, 3))
    dim = draw.dim()
    tensors = [first]
    for _ in range(draw.int(0, 3)):
        shape = list(first.shape)
        if -len(shape) <= dim < len(shape):
            shape[dim] = draw.int(0, 3)
        if draw.chance(0.06):
            shape = [0] if draw.chance(0.5) else list(draw.shape())
        tensors.append(draw.like(tuple(shape)))
    values["tensors"] = tensors if draw.chance(0.8) else tuple(tensors)
    if "dim" in values:
        values["dim"] = dim


@hint("stack", "hstack", "vstack")
def _(draw, values):
    draw.base = None
    first = draw.x(draw.shape(0, 3))
    values["tensors"] = [first] + [draw.like(first.shape if draw.chance(0.95) else None) for _ in range(draw.int(0, 2))]
    if "dim" in values:
        values["dim"] = draw.dim(1)
