"""Random calls of every row of the operator table, and what a library makes of them.

make_call(random, row) draws one call: shapes of rank 0 to 4 with zero sizes and broadcasting, memory layouts, all ten
dtypes and mixtures of them, numbers in place of tensors, nan, infinities and negative zeros, arguments inside and
slightly outside their domain, positional and keyword spellings, as function, method, in place and with out=. What the
types of the signature do not tell (which sizes a product takes, which indices exist) stands in HINTS, by row.

`random` is a random.Random or one of hypothesis (st.randoms), which then replays and shrinks. As a program this file
hunts: `python tests/fuzz.py [examples per row] [seed] [names of rows]` prints every call whose outcomes differ.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import outcome
import samples
from samples import FLOATING, NUMPY_DTYPE, tensors_of

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import gen_ops

ROWS = {row.c_name: row for row in gen_ops.read_table()}
# Rows reached through other names only, whose callers have random tests of their own: subscripts (test_indexing.py).
INTERNAL = {"_unique2", "index", "slice", "to_dtype", "nonzero", "nonzero_tuple"}

INTEGERS = {"int8", "uint8", "int16", "int32", "int64"}
DTYPES = ["float16", "bfloat16", "float32", "float64", "bool", *sorted(INTEGERS)]
NAN, INF = float("nan"), float("inf")
SPECIAL = (NAN, INF, -INF, -0.0, 0.0, 1.0)


# ---- arguments -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class X:
    """A tensor to be made. kind: "plain" in [-2, 2], "special" with nan and infinities among them, "unit" in (0, 1),
    "ties" few distinct values, "large" near the dtype's limits, "index" in [low, high)."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    layout: str = ""
    kind: str = "plain"
    seed: int = 0
    low: int = 0
    high: int = 1
    grad: bool = True

    def array(self) -> np.ndarray:
        """The values, row-major."""
        rng = np.random.default_rng(self.seed)
        if self.kind == "index":
            values = rng.integers(self.low, max(self.high, self.low + 1), self.shape)
        elif self.dtype in FLOATING:
            values = rng.uniform(-2, 2, self.shape)
            if self.kind == "unit":
                values = 0.5 + 0.2 * values
            elif self.kind == "ties":
                values = np.round(values)
            elif self.kind == "large":
                values = values * 100
            elif self.kind == "special":
                values = np.where(rng.random(self.shape) < 0.3, rng.choice(SPECIAL, self.shape), values)
        elif self.dtype == "bool":
            values = rng.integers(0, 2, self.shape)
        elif self.kind == "large":
            limits = np.iinfo(NUMPY_DTYPE[self.dtype])
            values = rng.integers(limits.min, limits.max, self.shape, endpoint=True, dtype=NUMPY_DTYPE[self.dtype])
        else:
            values = rng.integers(0 if self.dtype == "uint8" else -5, 6, self.shape)
        return np.asarray(values).astype(NUMPY_DTYPE[self.dtype])

    def tensor(self, ns: Any) -> Any:
        """The tensor in library ns, laid out as asked."""
        array, dtype = self.array(), getattr(ns, self.dtype)

        def make(a):
            return ns.tensor(np.ascontiguousarray(a).reshape(-1).tolist(), dtype=dtype).reshape(a.shape)

        n = array.ndim
        if self.layout == "t":
            order = list(np.random.default_rng(self.seed + 1).permutation(n))
            back = [order.index(i) for i in range(n)]
            return make(array.transpose(order)).permute([int(i) for i in back])
        if self.layout == "step" and n:
            return make(np.repeat(array, 2, axis=-1))[..., ::2]
        if self.layout == "expand" and n and array.shape[0]:
            return make(array[:1]).expand(*array.shape)
        if self.layout == "offset" and n:
            return make(np.concatenate([array, array]))[array.shape[0]:]
        return make(array)


@dataclass(frozen=True)
class Named:
    """An attribute of the library: a dtype."""

    name: str


@dataclass
class Call:
    """One call of a row."""

    row: Any
    form: str  # function, method, inplace, out
    values: dict[str, Any]  # by parameter name, without those left to their defaults
    n_keywords: int  # how many of the last arguments are given by keyword
    out: list[X] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)  # keywords of constructors

    def __repr__(self) -> str:
        return f"{self.row.c_name} {self.form} {self.values} keywords={self.n_keywords} {self.out or ''} {self.extra or ''}"

    def tensors(self) -> list[X]:
        """Its tensors, in order."""
        return [x for v in self.values.values() for x in (v if isinstance(v, (list, tuple)) else [v]) if isinstance(x, X)]

    def build(self, ns: Any, grad: bool = False) -> dict[str, Any]:
        """The arguments in library ns."""

        def convert(value):
            if isinstance(value, X):
                tensor = value.tensor(ns)
                return tensor.requires_grad_() if grad and value.grad and value.dtype in FLOATING else tensor
            if isinstance(value, Named):
                return getattr(ns, value.name)
            if isinstance(value, (list, tuple)):
                return type(value)(convert(v) for v in value)
            return value

        return {k: convert(v) for k, v in self.values.items()}

    def invoke(self, ns: Any, values: dict[str, Any]) -> Any:
        """Calls the operator in library ns."""
        row = self.row
        names = list(values)
        first = None
        if self.form in ("method", "inplace"):
            first = values[row.params[row.self_index].name]
            names.remove(row.params[row.self_index].name)
        positional = [n for n in names if not self._keyword_only(n)]
        while positional and self.n_keywords and len(positional) > 0:
            keywords = min(self.n_keywords, len(positional))
            positional = positional[: len(positional) - keywords]
            break
        args = []
        for name in positional:
            if row.params[self._position(name)].varargs and self.form != "keyword":
                args += list(values[name])
            else:
                args.append(values[name])
        keywords = {n: values[n] for n in names if n not in positional}
        keywords |= {k: getattr(ns, v.name) if isinstance(v, Named) else v for k, v in self.extra.items()}
        if self.form == "out":
            outs = [x.tensor(ns) for x in self.out]
            keywords["out"] = tuple(outs) if len(outs) > 1 else outs[0]
        if self.form in ("method", "inplace"):
            # PyTorch's dropped keyword: from_ is from
            return getattr(first, row.name + ("_" if self.form == "inplace" else ""))(*args, **keywords)
        home = ns.nn.functional if row.nn else ns
        return getattr(home, NN_NAMES.get(row.name, row.name))(*args, **keywords)

    def _position(self, name: str) -> int:
        return next(i for i, p in enumerate(self.row.params) if p.name == name)

    def _keyword_only(self, name: str) -> bool:
        param = self.row.params[self._position(name)]
        return param.keyword_only or (self.row.nn and "Tensor" not in param.type) or (self.row.nn and name == "pos_weight") or self.row.c_name == "rsub" and name == "alpha"


NN_NAMES = {"log_sigmoid": "logsigmoid"}
# Parameters of functions in nn.functional that only the C side has.
NN_HIDDEN = {"scale", "input_scale"}


# ---- drawing ---------------------------------------------------------------------------------------------------------


class Draw:
    """Draws arguments; remembers the first tensor, which the others follow."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.base: X | None = None

    def chance(self, p: float) -> bool:
        return self.random.randint(1, 100) <= 100 * p

    def int(self, low: int, high: int) -> int:
        """low to high, both included."""
        return self.random.randint(low, high)

    def choice(self, options: Any) -> Any:
        return self.random.choice(list(options))

    def dtype(self) -> str:
        kind = self.int(0, 9)
        return "float32" if kind < 4 else "float64" if kind < 6 else self.choice(DTYPES)

    def shape(self, low: int = 0, high: int = 4) -> tuple[int, ...]:
        return tuple(self.choice((1, 2, 3, 3, 5, 2, 0, 4)) for _ in range(self.int(low, high)))

    def x(self, shape: tuple[int, ...] | None = None, dtype: str | None = None, kind: str | None = None, grad=True) -> X:
        shape = self.shape() if shape is None else tuple(max(0, s) for s in shape)
        kind = kind or self.choice(("plain", "plain", "plain", "special", "ties", "large"))
        layout = self.choice(("", "", "t", "step", "expand", "offset"))
        x = X(shape, dtype or self.dtype(), layout, kind, self.int(0, 10**6), grad=grad)
        if self.base is None:
            self.base = x
        return x

    def like(self, shape: tuple[int, ...] | None = None, kind: str | None = None) -> X:
        """A tensor that follows the first: mostly of its dtype, of the given shape or one that broadcasts with it."""
        dtype = self.base.dtype if self.chance(0.75) else self.dtype()
        return self.x(self.broadcastable(self.base.shape) if shape is None else shape, dtype, kind)

    def broadcastable(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if self.chance(0.07):
            return self.shape()
        shape = tuple(1 if self.chance(0.2) else s for s in shape)
        if self.chance(0.25):
            shape = shape[self.int(0, len(shape)):]
        elif self.chance(0.1):
            shape = (self.int(1, 2), *shape)
        return shape

    def index(self, shape: tuple[int, ...], n: int) -> X:
        """Indices 0 to n - 1, sometimes negative or too large, sometimes of another dtype."""
        low, high = (0, n) if self.chance(0.85) else (-n, n) if self.chance(0.5) else (-n - 1, n + 1)
        dtype = "int64" if self.chance(0.85) else self.choice(("int32", "int32", *DTYPES))
        if dtype == "uint8":
            low = max(low, 0)
        return X(shape, dtype, self.choice(("", "", "t", "step", "offset")), "index", self.int(0, 10**6), low, high)

    @property
    def rank(self) -> int:
        return len(self.base.shape) if self.base else 2

    def dim(self, extra: int = 0) -> int:
        n = self.rank + extra
        return self.int(-n - 1, n) if self.chance(0.15) or n == 0 else self.int(-n, n - 1)

    def dims(self) -> Any:
        if self.chance(0.3):
            return self.dim()
        if self.chance(0.1):
            return tuple(self.dim() for _ in range(self.int(0, 3)))
        dims = list(range(self.rank))
        self.random.shuffle(dims)
        dims = [d - self.rank if self.chance(0.4) else d for d in dims[: self.int(0, self.rank)]]
        return tuple(dims) if self.chance(0.7) else dims

    def size_of(self, dim: int) -> int:
        """The first tensor's size along dim, whatever dim is."""
        shape = self.base.shape
        return shape[dim] if shape and -len(shape) <= dim < len(shape) else 1

    def number(self) -> Any:
        kind = self.int(0, 9)
        if kind < 4:
            return self.int(-3, 4)
        if kind < 8:
            return self.choice((0.5, -1.5, 2.0, 3.25, -0.0, 1e-3))
        return self.choice((True, False, NAN, INF, -INF, 1e10, 300, -129, 2**40))

    def float(self) -> Any:
        return self.number() if self.chance(0.2) else self.choice((0.5, 1.0, 2.0, 0.1, 3, -1.0, 0.0))


STRINGS = {
    "rounding_mode": ("trunc", "floor", "trunc", "floor", "ceil"),
    "reduction": ("none", "mean", "sum", "none", "mean", "sum", "median"),
    "approximate": ("none", "tanh", "tanh", "exact"),
    "reduce": ("add", "multiply", "add", "multiply", "mean"),
    "interpolation": ("linear", "lower", "higher", "midpoint", "nearest", "linear", "cubic"),
    "compute_mode": ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"),
    "p": ("fro", "fro", "nuc", "x"),
}


def plain_value(draw: Draw, row: Any, param: Any) -> Any:
    """A value that the parameter's type and name suggest."""
    kind = param.type.removesuffix(" | None")
    name = param.name
    if param.type.endswith("| None") and draw.chance(0.25):
        return None
    if kind == "Tensor":
        return draw.x() if draw.base is None else draw.like()
    if kind == "TensorLike":
        if draw.base is None:
            return draw.x()
        return draw.number() if draw.chance(0.4) else draw.like()
    if kind == "Tensors":
        return [draw.x() if draw.base is None else draw.like() for _ in range(draw.int(1, 3))]
    if kind == "Number":
        return draw.number()
    if kind == "int":
        if name.startswith(("dim", "axis")) or name in ("start_dim", "end_dim"):
            return draw.dim()
        return draw.int(-2, 4)
    if kind == "float":
        return draw.float()
    if kind == "bool":
        return draw.chance(0.5)
    if kind == "dtype":
        return Named(draw.dtype())
    if kind == "Ints":
        if name in ("dim", "dims"):
            return draw.dims()
        return draw.shape(0, 3) if not draw.chance(0.05) else (-1, 2)
    if kind == "str":
        return draw.choice(STRINGS.get(name, ("x",)))
    if kind == "Generator":
        return None
    return None


# ---- hints: what signatures do not tell --------------------------------------------------------------------------------

Hint = Callable[[Draw, dict], None]
HINTS: dict[str, Hint] = {}


def hint(*names: str) -> Callable[[Hint], Hint]:
    def register(function: Hint) -> Hint:
        for name in names:
            assert name in ROWS, name
            HINTS[name] = function
        return function

    return register


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


@hint("prelu")
def _(draw, values):
    shape, dtype = draw.base.shape, draw.base.dtype
    n = shape[1] if len(shape) > 1 else 1
    values["weight"] = draw.x(draw.choice(((), (1,), (n,), (n,), (3,))), dtype if draw.chance(0.95) else None)


@hint("softmax", "log_softmax")
def _(draw, values):
    values["dim"] = draw.dim()


@hint("eye")
def _(draw, values):
    if values.get("m", 0) is None:
        del values["m"]
    values["n"] = draw.int(-1, 5) if draw.chance(0.2) else draw.int(0, 5)


@hint("arange", "arange_end", "range", "linspace", "logspace")
def _(draw, values):
    def number():
        return draw.int(-6, 9) if draw.chance(0.6) else draw.choice((0.5, -1.5, 3.25, 7.0, 2.0))

    for name in ("start", "end", "step"):
        if name in values:
            values[name] = number()
    if values.get("step") and draw.chance(0.8) and "start" in values:
        values["step"] = math.copysign(values["step"], values["end"] - values["start"])
    if "steps" in values:
        values["steps"] = draw.int(-1, 6) if draw.chance(0.2) else draw.int(0, 6)
    if "base" in values:
        values["base"] = draw.choice((2.0, 10.0, 0.5, 3))


@hint("full")
def _(draw, values):
    values["size"] = draw.shape()


@hint("empty_strided")
def _(draw, values):
    n = draw.int(0, 3)
    values["size"] = tuple(draw.int(0, 3) for _ in range(n))
    values["stride"] = tuple(draw.int(0, 4) for _ in range(n if draw.chance(0.95) else n + 1))


@hint("randint", "randint_high", "randint_like", "randint_like_high")
def _(draw, values):
    if "low" in values:
        values["low"] = draw.int(-5, 3)
    values["high"] = draw.int(0, 9) if draw.chance(0.2) else draw.int(4, 100)
    if "size" in values:
        values["size"] = draw.shape(0, 3)


@hint("randperm")
def _(draw, values):
    values["n"] = draw.int(-1, 9) if draw.chance(0.2) else draw.int(0, 9)


@hint("normal_tensor_tensor", "normal_tensor_float", "normal_float_tensor")
def _(draw, values):
    for name in ("mean", "std"):
        if isinstance(values.get(name), X):
            values[name] = draw.x(draw.base.shape, draw.base.dtype, "unit")
        elif name in values:
            values[name] = draw.choice((0.0, 1.0, 0.5, -1.0 if name == "mean" else 2))


@hint("normal_float_float")
def _(draw, values):
    values |= {"mean": draw.choice((0.0, 1.5, -2)), "std": draw.choice((1.0, 0.5, 0, -1.0)), "size": draw.shape(1, 3)}


@hint("bernoulli", "bernoulli_fill_tensor")
def _(draw, values):
    if "p" in values:
        values["p"] = draw.x(draw.broadcastable(draw.base.shape), draw.base.dtype, "unit")
    else:
        values["input"] = draw.x(None, draw.base.dtype, "unit" if draw.chance(0.9) else None)


@hint("bernoulli_p", "bernoulli_fill", "geometric", "dropout")
def _(draw, values):
    if "p" in values:
        values["p"] = draw.choice((0.5, 0.25, 0.9, 0.0, 1.0, 1.5, -0.5))


@hint("multinomial")
def _(draw, values):
    values["input"] = draw.x(draw.shape(1, 2), draw.choice(("float32", "float64", "float16", "int64")), "unit")
    values["num_samples"] = draw.int(0, 3)


@hint("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div")
def _(draw, values):
    values["target"] = draw.x(draw.base.shape if draw.chance(0.7) else draw.broadcastable(draw.base.shape),
                              draw.base.dtype if draw.chance(0.9) else None)


@hint("binary_cross_entropy", "binary_cross_entropy_with_logits")
def _(draw, values):
    shape, dtype = draw.base.shape, draw.base.dtype
    values["input"] = draw.x(shape, dtype, "unit" if draw.chance(0.9) else "plain")
    values["target"] = draw.x(shape if draw.chance(0.95) else None, dtype if draw.chance(0.95) else None, "unit")
    for name in ("weight", "pos_weight"):
        if isinstance(values.get(name), X):
            values[name] = draw.x(draw.broadcastable(shape), dtype, "unit", grad=False)


@hint("nll_loss", "cross_entropy")
def _(draw, values):
    dtype = draw.base.dtype if draw.base.dtype in FLOATING or draw.chance(0.1) else "float32"
    classes, n = draw.int(1, 4), draw.int(0, 3)
    rest = draw.choice(((), (), (2,), (2, 3)))
    shape, target = ((classes,), ()) if draw.chance(0.15) else ((n, classes, *rest), (n, *rest))
    values["input"] = draw.x(shape, dtype, draw.choice(("plain", "plain", "special")))
    if len(ALL_PARAMS["cross_entropy"]) and "label_smoothing" in values and draw.chance(0.4):
        values["target"] = draw.x(shape, dtype, "unit")
    else:
        values["target"] = draw.index(target if draw.chance(0.95) else draw.shape(), classes)
    if isinstance(values.get("weight"), X):
        values["weight"] = draw.x((classes,) if draw.chance(0.95) else (classes + 1,), dtype, "unit", grad=False)
    if "ignore_index" in values:
        values["ignore_index"] = draw.choice((-100, 0, 1, -1))
    if "label_smoothing" in values:
        values["label_smoothing"] = draw.choice((0.0, 0.1, 0.5, 1.0, 1.5))


@hint("round")
def _(draw, values):
    if "decimals" in values:
        values["decimals"] = draw.choice((1, 2, 3, -1))


@hint("clamp", "clip")
def _(draw, values):
    limits = [values.get("min"), values.get("max")]
    if any(isinstance(v, X) for v in limits):  # PyTorch has no overload for a tensor and a number
        for name in ("min", "max"):
            if values.get(name) is not None and not isinstance(values[name], X):
                values[name] = draw.like()


@hint("lerp")
def _(draw, values):
    if isinstance(values["weight"], X):
        values["weight"] = draw.x(draw.broadcastable(draw.base.shape), draw.base.dtype)


@hint("pow")
def _(draw, values):
    if draw.chance(0.15):
        values["input"], values["exponent"] = draw.number(), draw.x()


ALL_PARAMS = {name: [p.name for p in row.params] for name, row in ROWS.items()}


def forms_of(row: Any) -> list[str]:
    """The spellings the table gives the row."""
    forms = []
    only = row.inplace == "only"
    if (row.function or row.nn) and not only:
        forms += ["function"] * 3
    if row.method and not only:
        forms += ["method"] * 2
    if row.inplace and not row.nn:
        forms += ["inplace"] * 2 if row.method or only else []
    if row.out:
        forms += ["out"]
    return forms


def fuzzed_rows() -> list[str]:
    return [name for name, row in ROWS.items() if name not in INTERNAL | FATAL and forms_of(row)]


def make_call(random: Random, name: str) -> Call:
    """Draws one call of the row."""
    row = ROWS[name]
    draw = Draw(random)
    form = draw.choice(forms_of(row))
    values: dict[str, Any] = {}
    for param in row.params:
        if param.type == "Any" or param.type.startswith("Generator") or row.nn and param.name in NN_HIDDEN:
            continue
        if param.default is not None and draw.chance(0.4):
            continue
        values[param.name] = plain_value(draw, row, param)
    draw.base = draw.base or X((2, 3))
    if name in HINTS:
        HINTS[name](draw, values)
    # An argument left out makes the later ones keywords: keep the order of the signature.
    values = {p.name: values[p.name] for p in row.params if p.name in values}
    positional = [p.name for p in row.params if not p.keyword_only and p.type != "Any"]
    given = [p for p in positional if p in values]
    gap = next((i for i, p in enumerate(given) if p != positional[i]), len(given))
    n_keywords = len(given) - gap
    movable = len(given) - (1 if row.params and row.params[0].varargs else 0) - 1
    if draw.chance(0.25) and movable > n_keywords:
        n_keywords = draw.int(n_keywords, movable)
    if any(p.varargs for p in row.params) or name in ("split", "split_sizes"):
        n_keywords = 0
    call = Call(row, form, values, n_keywords)
    if form == "out":
        call.out = [draw.x((0,) if row.factory else draw.choice(((0,), (0,), (2, 3))), dtype=None if draw.chance(0.3) else "int64" if i else draw.base.dtype,
                           kind="ties", grad=False) for i in range(row.n_results)]
        call.out = [X(x.shape, x.dtype, "", x.kind, x.seed) for x in call.out]
    if row.factory and form == "function" and draw.chance(0.3):
        call.extra = {"requires_grad": draw.chance(0.5)}
    return call


# ---- outcomes --------------------------------------------------------------------------------------------------------

UNINITIALISED = {"empty", "empty_like", "empty_strided"}
# Which of several equal elements is meant is not defined: only the values are compared.
OTHER_NODES = {"linear"} | {c.name for c in samples.load() if not c.node}
# Rows in which differences are known, and what they are: their tests may fail.
KNOWN = {
    **dict.fromkeys(("elu", "selu", "celu", "prelu", "hardtanh", "pow"), "second derivatives at a kink; unsigned limits"),
    **dict.fromkeys(("var_unbiased", "var", "var_dim_unbiased", "std_unbiased", "std", "std_dim_unbiased", "var_mean", "std_mean"),
                    "derivatives of the variance of at most `correction` numbers: nan where PyTorch gives 0 or infinity"),
    "hardsigmoid": "PyTorch has no second derivative",
    "clamp": "PyTorch's gradient fails where a limit is larger than the input",
    "clip": "as clamp",
    "xlogy": "the derivative takes the logarithm of a number in float32",
    **dict.fromkeys(("addmv", "addbmm", "roll", "repeat_interleave", "take_along_dim", "index_add", "flip"),
                    "errors that PyTorch raises for 0-dim tensors only, and sizes its in-place forms ignore"),
    "addr": "PyTorch refuses beta=True for numbers",
    **dict.fromkeys(("slice_copy", "slice_scatter"), "exception type for 0-dim tensors"),
    "masked_fill": "nan is converted to integers; strides of the copy",
    "median": "the median of no integers",
    "huber_loss": "mixed dtypes are promoted",
    **dict.fromkeys(("cross_entropy", "nll_loss"), "second derivative of the mean over no targets"),
    **dict.fromkeys(("chunk", "unsafe_chunk", "cdist", "kl_div"), "name of the node; which fault of several is named"),
    "cosine_similarity": "derivative where eps is larger than the norms",
    "addcmul": "PyTorch's derivative overflows in the dtype of the factors",
    "norm": "negative orders of empty tensors",
    "prod": "derivatives at several zeros",
    **dict.fromkeys(("mm", "bmm", "trace"), "bools: PyTorch multiplies empty ones, and has no trace"),
    **dict.fromkeys(("smooth_l1_loss", "mse_loss"), "mixed dtypes are promoted"),
    **dict.fromkeys(("adaptive_avg_pool3d", "adaptive_max_pool3d"), "exception type for an empty output_size"),
    "polar": "the derivative with respect to the angle of a negative length",
}
# Rows that can end PyTorch itself: the gradient of pdist of an empty tensor.
FATAL = {"pdist"}
# f_ of a comparison writes bools over numbers: PyTorch hands the gradient through some of them, rushlight through none.
NO_HISTORY = {"eq", "ne", "lt", "le", "gt", "ge", "greater", "greater_equal", "less", "less_equal", "not_equal",
              "logical_and", "logical_or", "logical_xor", "logical_not"}
ONE_OF_EQUALS = {"topk", "kthvalue", "msort"}


def describe_error(error: Exception) -> dict:
    return {"error": type(error).__name__, "bases": [c.__name__ for c in type(error).__mro__],
            "message": str(error).split("\n")[0]}


def run(ns: Any, call: Call) -> dict:
    """The outcome in library ns."""
    values = call.build(ns)
    tensors = tensors_of(list(values.values()))
    before = [(t.shape, t.stride(), t.tolist()) for t in tensors]
    ns.manual_seed(3)
    try:
        value = call.invoke(ns, values)
    except Exception as e:  # noqa: BLE001 - which exception it is, is the subject
        unchanged = all(repr((t.shape, t.stride(), t.tolist())) == repr(b) for t, b in zip(tensors, before, strict=True))
        return describe_error(e) | {"unchanged": unchanged}
    result: dict = {"outputs": [outcome.describe(t, True) for t in tensors_of(value)]}
    if call.form != "inplace":
        result["unchanged"] = all(repr((t.shape, t.stride(), t.tolist())) == repr(b) for t, b in zip(tensors, before, strict=True))
    else:
        result["self"] = value is values[call.row.params[call.row.self_index].name]
    if not result["outputs"]:
        result["plain"] = value
    if call.form != "out":
        result |= differentiate(ns, call)
    return result


def differentiate(ns: Any, call: Call) -> dict:
    """First and second derivatives for fixed cotangents, or what they raise."""
    values = call.build(ns, grad=True)
    inputs = [t for t in tensors_of(list(values.values())) if t.requires_grad]
    if not inputs:
        return {}
    if call.form == "inplace":
        name = call.row.params[call.row.self_index].name
        values[name] = values[name] * 1
    ns.manual_seed(3)
    try:
        outputs = [t for t in tensors_of(call.invoke(ns, values)) if t.requires_grad]
        if not outputs:
            return {"grads": "none"}
        result: dict = {"node": [type(t.grad_fn).__name__ for t in outputs]}
        cotangents = [outcome.cotangent(ns, t, k).requires_grad_() for k, t in enumerate(outputs)]
        grads = ns.autograd.grad(outputs, inputs, cotangents, allow_unused=True, create_graph=True)
    except Exception as e:  # noqa: BLE001
        return {"grad_error": describe_error(e)}
    result["grads"] = [None if g is None else outcome.describe(dense(ns, g), False) for g in grads]
    second = [(k, g) for k, g in enumerate(grads) if g is not None and g.requires_grad]
    if not second:
        return result | {"second": "none"}
    try:
        cotangents2 = [outcome.cotangent(ns, g, k + 5) for k, g in second]
        grads2 = ns.autograd.grad([g for _, g in second], [*inputs, *cotangents], cotangents2, allow_unused=True)
    except Exception as e:  # noqa: BLE001
        return result | {"second_error": describe_error(e)}
    # A gradient that is not there is zero: which of the two is a matter of how the formula was written.
    result["second"] = [outcome.describe(ns.zeros_like(t) if g is None else dense(ns, g), False)
                        for g, t in zip(grads2, [*inputs, *cotangents], strict=True)]
    return result


def dense(ns: Any, tensor: Any) -> Any:
    """The same values with memory: PyTorch has zeros without any."""
    return tensor.detach() + ns.zeros(tensor.shape, dtype=tensor.dtype)


# Texts of errors of PyTorch about derivatives that it lacks, for no mathematical reason.
NO_DERIVATIVE = ("is not implemented", "Autograd not support dtype", "can't be cast to the desired output type",
                 "invalid combination")


def error_difference(what: str, actual: dict | None, expected: dict | None) -> list[str]:
    if not actual and not expected:
        return []
    if what and not actual and any(text in expected["message"] for text in NO_DERIVATIVE):
        return []
    if not expected:
        return [f"{what}{actual['error']} ({actual['message']}) instead of success"]
    if not actual:
        return [f"{what}no error instead of {expected['error']} ({expected['message']})"]
    if expected["error"] not in actual["bases"]:
        return [f"{what}{actual['error']} ({actual['message']}) instead of {expected['error']} ({expected['message']})"]
    return []


# Texts of errors of PyTorch that say that no overload fits. Where rushlight has one signature for several overloads it
# takes the union of their arguments.
NO_OVERLOAD = ("missing", "positional arguments", "must be Tensor, not", "is not a valid value", "invalid combination", "unexpected keyword", "multiple values")
OVERLAPS = "unsupported operation: more than one element of the written-to tensor"


def deliberate(call: Call, actual: dict | None, expected: dict | None) -> bool:
    """Whether this difference in errors is one of docs/differences.md."""
    if expected is not None and expected["error"] == "TypeError" and any(text in expected["message"] for text in NO_OVERLOAD):
        return True
    if actual is not None and expected is not None:  # two faults: which is named first
        return {actual["error"], expected["error"]} <= {"RuntimeError", "NotImplementedError", "IndexError"}
    if actual is None:
        return call.form == "out" and any(t in expected["message"].lower() for t in ("type", "only supports", "non-boolean"))
    return expected is None and actual["message"].startswith(OVERLAPS)


def finite(a: dict, e: dict) -> tuple[dict, dict]:
    """Both without the elements that are not finite in one of them."""
    keep = [i for i, (x, y) in enumerate(zip(a["values"], e["values"], strict=True)) if math.isfinite(x) and math.isfinite(y)]
    return tuple(d | {"values": [d["values"][i] for i in keep]} for d in (a, e))


def compare(call: Call, actual: dict, expected: dict, ulp: float) -> list[str]:
    """What differs, in words."""
    name = call.row.c_name
    errors = [o if "error" in o else None for o in (actual, expected)]
    if any(errors):
        wrong = [] if deliberate(call, *errors) else error_difference("", *errors)
        if actual.get("unchanged") is False and "error" in actual:
            wrong.append("an input was changed by a call that failed")
        return wrong
    wrong = []
    if actual.get("unchanged") is False and expected.get("unchanged", True):
        wrong.append("an input was changed")
    if actual.get("self", True) != expected.get("self", True):
        wrong.append("the result is not the tensor itself")
    if "plain" in expected and actual.get("plain") != expected["plain"]:
        return [f"{actual.get('plain')!r} instead of {expected['plain']!r}"]
    if len(actual["outputs"]) != len(expected["outputs"]):
        return [f"{len(actual['outputs'])} outputs instead of {len(expected['outputs'])}"]
    wrong += error_difference("gradient: ", actual.get("grad_error"), expected.get("grad_error"))
    wrong += error_difference("second gradient: ", actual.get("second_error"), expected.get("second_error"))
    wrong += pairs(call, "output", actual["outputs"], expected["outputs"], ulp)
    if wrong or "grads" not in expected or "grads" not in actual or name in ONE_OF_EQUALS:
        return wrong
    if call.form == "inplace" and name in NO_HISTORY:
        return wrong
    if name not in OTHER_NODES and [n.rstrip("0123456789") for n in actual.get("node", [])] != [n.rstrip("0123456789") for n in expected.get("node", [])]:
        wrong.append(f"node {actual.get('node')} instead of {expected.get('node')}")
    special = any(x.kind == "special" for x in call.tensors())
    for key, factor in (("grads", 8), ("second", 64)):
        a, e = actual.get(key), expected.get(key)
        if key == "second" and special:
            continue
        if special and isinstance(a, list) and isinstance(e, list) and len(a) == len(e):
            both = [finite(x, y) if x and y and x["shape"] == y["shape"] else (x, y) for x, y in zip(a, e, strict=True)]
            a, e = [x for x, _ in both], [y for _, y in both]
        if isinstance(a, list) and isinstance(e, list):
            wrong += pairs(call, key, a, e, factor * ulp)
        elif a != e and not (key == "second" and zero(a) and zero(e)):
            wrong.append(f"{key}: {str(a)[:40]} instead of {str(e)[:40]}")
    return wrong


def zero(grads: Any) -> bool:
    """Whether second gradients are absent or all zero."""
    return grads in (None, "none") or all(v == 0 for g in grads for v in g["values"])


def pairs(call: Call, what: str, actual: list, expected: list, ulp: float) -> list[str]:
    wrong = []
    for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
        if a is None or e is None:
            if a is not e:
                wrong.append(f"{what} {i}: {'None' if a is None else 'a tensor'} instead of {'None' if e is None else 'a tensor'}")
            continue
        if i and call.row.c_name in ONE_OF_EQUALS:
            continue
        for key in ("dtype", "shape", "stride"):
            a_key, e_key = a.get(key), e.get(key)
            if key == "stride" and e_key and a["shape"] == e["shape"]:
                # Nothing is reached by the strides of an empty tensor or of a dim of size 1.
                moves = [i for i, n in enumerate(e["shape"]) if n != 1 and 0 not in e["shape"]]
                a_key, e_key = [a_key[i] for i in moves], [e_key[i] for i in moves]
            if a_key != e_key:
                wrong.append(f"{what} {i}: {key} {a.get(key)} instead of {e.get(key)}")
        if call.row.c_name in UNINITIALISED or wrong:
            continue
        if wraps_around(call):
            continue
        # Gradients are measured against the cotangents, which are of size one: 1 - tanh(x)^2 cancels.
        unit = [] if what == "output" else [math.sqrt(len(e["values"]))]
        difference = outcome.close(a["values"] + unit, e["values"] + unit, coarsest(call, e["dtype"]), ulp)
        if difference:
            wrong.append(f"{what} {i}: {difference}")
    return wrong


def wraps_around(call: Call) -> bool:
    """Whether a number stands beside integers that cannot hold it: what is made of it is the C compiler's choice."""
    limits = [np.iinfo(NUMPY_DTYPE[x.dtype]) for x in call.tensors() if x.dtype in INTEGERS]
    limits += [np.iinfo(NUMPY_DTYPE[v.name]) for v in call.values.values()
               if isinstance(v, Named) and v.name in INTEGERS]
    numbers = [v for v in call.values.values() if isinstance(v, (int, float)) and not isinstance(v, bool)]
    return any(not lim.min <= v <= lim.max for lim in limits for v in numbers)


def coarsest(call: Call, dtype: str) -> str:
    """The least exact floating dtype in the call: the precision of what was computed, however wide the result."""
    dtypes = [dtype, *(x.dtype for x in call.tensors()), *(v.name for v in call.values.values() if isinstance(v, Named))]
    return max(dtypes, key=lambda d: outcome.EPS.get(d, 0.0))


def hunt(examples: int, seed: int, names: list[str]) -> None:
    """Prints every call whose outcomes differ, at most three of a row."""
    import warnings

    import torch

    import rushlight

    warnings.simplefilter("ignore")
    for name in names or fuzzed_rows():
        found = 0
        for i in range(examples):
            call = make_call(Random(f"{seed}/{name}/{i}"), name)
            if "-v" in sys.argv:
                print(call, flush=True)
            wrong = compare(call, run(rushlight, call), run(torch, call), ulp=8)
            if wrong:
                print(call, "\n   ", "\n    ".join(wrong), flush=True)
                found += 1
                if found == 3:
                    break


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "-v"]
    hunt(int(arguments[0]) if arguments else 50, int(arguments[1]) if len(arguments) > 1 else 0, arguments[2:])
