"""Drawing arguments: tensors to be made, numbers, dims, shapes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
from samples import COMPLEX, FLOATING, NUMPY_DTYPE

INTEGERS = {"int8", "uint8", "int16", "int32", "int64"}
DTYPES = ["float16", "bfloat16", "float32", "float64", "bool", *sorted(INTEGERS)]
NAN, INF = float("nan"), float("inf")
SPECIAL = (NAN, INF, -INF, -0.0, 0.0, 1.0)


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
        elif self.dtype in COMPLEX:
            parts = [replace(self, dtype="float64", seed=self.seed + i).array() for i in (0, 3)]
            values = parts[0] + 1j * np.where(np.isfinite(parts[1]), parts[1], 0)
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


class Draw:
    """Draws arguments; remembers the first tensor, which the others follow."""

    def __init__(self, random: Random, takes_complex: bool = False) -> None:
        self.random = random
        # One call in five of the rows that take complex tensors has some.
        self.complex = takes_complex and self.chance(0.2)
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
        if self.complex and kind < 7:
            return "complex64" if kind < 5 else "complex128"
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
        if self.complex and self.chance(0.3):
            return self.choice((1j, 0.5 - 2j, complex(2)))
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
