"""Hints for indexing, scattering, masks and order: which places exist."""

from __future__ import annotations

import math

from ..draw import X
from ..table import ALL_PARAMS
from .registry import hint

@hint("index_put")
def _(draw, values):
    shape = draw.base.shape
    n = draw.int(1, max(1, len(shape)))
    shapes = draw.choice(((), (2,), (3, 2)))
    indices = [draw.index(shapes, draw.size_of(i)) for i in range(n)]
    values["indices"] = tuple(indices)
    target = (*shapes, *shape[n:])
    values["values"] = draw.x(draw.broadcastable(target), draw.base.dtype if draw.chance(0.9) else None)
    values["accumulate"] = True if shapes and draw.chance(0.9) else draw.chance(0.5)
    if not values["accumulate"] and shapes:
        values["values"] = draw.x((), draw.base.dtype, grad=False)


@hint("index_select")
def _(draw, values):
    values["dim"] = draw.dim()
    values["index"] = draw.index((draw.int(0, 4),) if draw.chance(0.8) else (), draw.size_of(values["dim"]))


@hint("index_add", "index_copy", "index_fill")
def _(draw, values):
    values["dim"] = dim = draw.dim()
    shape, n = list(draw.base.shape), draw.int(0, 3)
    size = draw.size_of(dim)
    index = draw.index((n,), size)
    if "source" not in values or "alpha" not in ALL_PARAMS["index_add"] or draw.chance(0.5):
        n = min(n, size)
        index = draw.index((n,), size)
    values["index"] = index
    if "source" in values:
        if -len(shape) <= dim < len(shape):
            shape[dim] = n
        elif not shape:
            shape = [] if n == 1 else [n]
        values["source"] = draw.x(tuple(shape) if draw.chance(0.93) else None, draw.base.dtype if draw.chance(0.93) else None)
    elif isinstance(values["value"], X):
        values["value"] = draw.x(() if draw.chance(0.9) else (1,), draw.base.dtype)


@hint("gather")
def _(draw, values):
    values.pop("sparse_grad", None)
    values["dim"] = draw.dim()
    shape = tuple(draw.int(0, s) if i != values["dim"] % max(draw.rank, 1) else draw.int(0, 4) for i, s in enumerate(draw.base.shape))
    values["index"] = draw.index(shape if draw.chance(0.93) else draw.shape(), draw.size_of(values["dim"]))


@hint("scatter", "scatter_value", "scatter_add")
def _(draw, values):
    values["dim"] = dim = draw.dim()
    shape = tuple(draw.int(0, s) for s in draw.base.shape)
    values["index"] = draw.index(shape if draw.chance(0.93) else draw.shape(), draw.size_of(dim))
    if "src" in values and (isinstance(values["src"], X) or draw.chance(0.5)):
        larger = tuple(s + draw.choice((0, 0, 1)) for s in values["index"].shape)
        values["src"] = draw.x(larger if draw.chance(0.93) else None, draw.base.dtype if draw.chance(0.93) else None)


@hint("take")
def _(draw, values):
    values["index"] = draw.index(draw.shape(0, 3), math.prod(draw.base.shape))


@hint("take_along_dim")
def _(draw, values):
    dim = values.get("dim")
    if dim is None:
        values["indices"] = draw.index((draw.int(0, 4),), math.prod(draw.base.shape))
    else:
        shape = tuple(1 if draw.chance(0.2) else s for s in draw.base.shape)
        values["indices"] = draw.index(shape, draw.size_of(dim))


@hint("masked_select", "masked_fill", "masked_scatter")
def _(draw, values):
    values["mask"] = draw.x(draw.broadcastable(draw.base.shape), "bool" if draw.chance(0.93) else None)
    if "source" in values:
        values["source"] = draw.x((math.prod(draw.base.shape) + draw.int(-1, 2),), draw.base.dtype if draw.chance(0.9) else None)
    if isinstance(values.get("value"), X):
        values["value"] = draw.x((), draw.base.dtype if draw.chance(0.7) else None)


@hint("where")
def _(draw, values):
    draw.base = X(draw.shape(), draw.dtype())
    values["condition"] = draw.x(draw.broadcastable(draw.base.shape), "bool" if draw.chance(0.9) else "uint8" if draw.chance(0.5) else None)
    values["input"] = draw.like() if draw.chance(0.7) else draw.number()
    values["other"] = draw.like() if draw.chance(0.7) else draw.number()


@hint("topk", "kthvalue")
def _(draw, values):
    dim = values.get("dim", -1)
    n = draw.size_of(dim)
    values["k"] = draw.int(-1, n + 1) if draw.chance(0.2) else draw.int(min(1, n), n)
