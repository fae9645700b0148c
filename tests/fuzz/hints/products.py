"""Hints for products: which sizes agree."""

from __future__ import annotations

from ..draw import Draw
from .registry import HINTS, Hint, hint

def product(*shapes: str, names: tuple[str, ...]) -> Hint:
    """Shapes given by letters, one size each; a wrong one now and then."""

    def make(draw: Draw, values: dict) -> None:
        sizes = {c: draw.choice((1, 2, 3, 4, 0, 7)) for c in "bnkm"}
        dtype = draw.dtype()
        draw.base = None
        for name, letters in zip(names, shapes, strict=True):
            shape = tuple(sizes[c] for c in letters)
            if name == "input" and len(shapes) == 3:
                shape = draw.broadcastable(shape)
            if draw.chance(0.04):
                shape = draw.shape()
            values[name] = draw.x(shape, dtype if draw.chance(0.93) else None, draw.choice(("plain", "plain", "special", "ties")))

    return make


HINTS["mm"] = product("nk", "km", names=("input", "mat2"))
HINTS["bmm"] = product("bnk", "bkm", names=("input", "mat2"))
HINTS["mv"] = product("nk", "k", names=("input", "vec"))
HINTS["dot"] = product("k", "k", names=("input", "tensor"))
HINTS["outer"] = HINTS["ger"] = product("n", "m", names=("input", "vec2"))
HINTS["addmm"] = product("nm", "nk", "km", names=("input", "mat1", "mat2"))
HINTS["addmv"] = product("n", "nk", "k", names=("input", "mat", "vec"))
HINTS["addr"] = product("nm", "n", "m", names=("input", "vec1", "vec2"))
HINTS["baddbmm"] = product("bnm", "bnk", "bkm", names=("input", "batch1", "batch2"))
HINTS["addbmm"] = product("nm", "bnk", "bkm", names=("input", "batch1", "batch2"))


@hint("matmul")
def _(draw, values):
    sizes = {c: draw.choice((1, 2, 3, 4, 0)) for c in "abnkm"}
    left, right = draw.choice(("k", "nk", "bnk", "abnk")), draw.choice(("k", "km", "bkm", "abkm"))
    dtype = draw.dtype()
    for name, letters in (("input", left), ("other", right)):
        shape = [sizes[c] for c in letters]
        shape = [1 if i < len(shape) - 2 and draw.chance(0.3) else s for i, s in enumerate(shape)]
        values[name] = draw.x(tuple(shape), dtype if draw.chance(0.95) else None, "plain")


@hint("inner")
def _(draw, values):
    k, dtype = draw.int(0, 4), draw.dtype()
    values["input"] = draw.x((*draw.shape(0, 2), k), dtype)
    values["other"] = draw.x((*draw.shape(0, 2), k if draw.chance(0.9) else 3), dtype)


@hint("linear")
def _(draw, values):
    n, k, dtype = draw.int(0, 4), draw.int(0, 5), draw.dtype()
    values["input"] = draw.x((*draw.shape(0, 3), k), dtype)
    values["weight"] = draw.x((n, k) if draw.chance(0.9) else draw.shape(1, 2), dtype)
    if "bias" in values and values["bias"] is not None:
        values["bias"] = draw.x((n,) if draw.chance(0.9) else draw.shape(0, 2), dtype)
