"""The database of operator calls: every operator of the table, with inputs.

A case is one call. From the list follow the tests of values, dtypes, shapes and strides against PyTorch (committed
golden values and, where PyTorch is importable, live), of gradients and second gradients against numerical derivatives,
of in-place forms, of non-contiguous inputs and of errors. Adding an operator means adding its cases to one of the
modules in tests/cases/; an operator of csrc/table without a case fails test_ops.py.

    case("add", T(3, 4), T(4))                      torch.add(x, y)
    case("add", T(3, 4), 2.5, alpha=2)              with a number and a keyword
    case("index", T(3, 4), fn=lambda ns, x: x[1])   a spelling that is not ns.name, nn.functional.name or Tensor.name
    error("mm", T(2, 3), T(2, 3))                   must fail as PyTorch fails, leaving its inputs alone

Everything random is drawn from NumPy with a seed made from the case's name, so that any library sees the same inputs.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

NUMPY_DTYPE = {
    "float16": np.float16,
    "bfloat16": np.float32,  # NumPy has none: values are rounded by the library under test
    "float32": np.float32,
    "float64": np.float64,
    "complex64": np.complex64,
    "complex128": np.complex128,
    "int8": np.int8,
    "uint8": np.uint8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "bool": np.bool_,
}
FLOATING = {"float16", "bfloat16", "float32", "float64"}
COMPLEX = {"complex64", "complex128"}


@dataclass(frozen=True)
class T:
    """A tensor to be made: shape, dtype, uniform values from low to high, or given values.

    layout: "t" last two dims transposed in memory, "step" every second element of a larger one, "expand" the first dim
    expanded from size 1, "offset" a view that begins inside its storage.
    grad: whether the derivative with respect to it is tested (floating dtypes only).
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    low: float = -2.0
    high: float = 2.0
    values: tuple | None = None
    layout: str = ""
    grad: bool = True

    def __init__(self, *shape: int, dtype="float32", low=None, high=None, values=None, layout="", grad=True):
        set_ = object.__setattr__
        set_(self, "shape", shape if values is None else np.shape(values))
        set_(self, "dtype", dtype)
        integer = dtype not in FLOATING | COMPLEX
        set_(self, "low", (0 if dtype in ("uint8", "bool") else -5) if integer and low is None else -2.0 if low is None else low)
        set_(self, "high", (2 if dtype == "bool" else 6) if integer and high is None else 2.0 if high is None else high)
        set_(self, "values", None if values is None else values)
        set_(self, "layout", layout)
        set_(self, "grad", grad and dtype in FLOATING | COMPLEX)

    def array(self, rng: np.random.Generator) -> np.ndarray:
        """The values, row-major."""
        dtype = NUMPY_DTYPE[self.dtype]
        if self.values is not None:
            return np.array(self.values, dtype=dtype)
        if self.dtype in COMPLEX:
            real, imag = (rng.uniform(self.low, self.high, self.shape) for _ in range(2))
            return (real + 1j * imag).astype(dtype)
        if self.dtype in FLOATING:
            return rng.uniform(self.low, self.high, self.shape).astype(dtype)
        return rng.integers(self.low, self.high, self.shape).astype(dtype)

    def tensor(self, ns: Any, rng: np.random.Generator, dtype: str | None = None):
        """The tensor in library ns, laid out as asked; dtype replaces a floating dtype (float64 for gradcheck, and then complex128 complex64)."""
        array = self.array(rng)
        name = dtype if dtype and self.dtype in FLOATING else self.dtype
        if name == "float64" and self.dtype in FLOATING:
            array = array.astype(np.float64)
        if dtype == "float64" and name == "complex64":
            name = "complex128"
        target = getattr(ns, name)

        def make(a):
            return ns.tensor(a.tolist(), dtype=target).reshape(a.shape)

        if self.layout == "t":
            return make(np.ascontiguousarray(array.swapaxes(-1, -2))).transpose(-1, -2)
        if self.layout == "step":
            padded = np.zeros((*array.shape[:-1], array.shape[-1] * 2), array.dtype)
            padded[..., ::2] = array
            return make(padded)[..., ::2]
        if self.layout == "expand":
            return make(array[:1]).expand(*array.shape)
        if self.layout == "offset":
            return make(np.concatenate([array[:1], array]))[1:]
        return make(array)


@dataclass
class Case:
    """One call of an operator."""

    name: str
    args: tuple
    kwargs: dict
    fn: Callable | None = None
    seed: int | None = None  # manual_seed before the call: random operators
    grad: bool = True  # differentiate at all
    gradgrad: bool = True
    ulp: float = 4.0  # allowed distance to PyTorch, in units of the last place of the largest value nearby
    strides: bool = True  # compare strides too
    node: bool = True  # compare the name of the node; not where one node does the work of several of PyTorch's
    error: bool = False
    index: int = 0
    id: str = field(default="", compare=False)
    source: str = ""  # the module of tests/cases it stands in

    def build(self, ns: Any, dtype: str | None = None, requires_grad: bool = False) -> tuple[list, dict]:
        """Arguments as tensors of library ns; the same values every time."""
        rng = np.random.default_rng(zlib.crc32(f"{self.name}/{self.index}".encode()))

        def convert(value):
            if isinstance(value, T):
                tensor = value.tensor(ns, rng, dtype)
                if requires_grad and value.grad:
                    tensor = tensor.detach().requires_grad_() if value.layout == "" else tensor.requires_grad_()
                return tensor
            if isinstance(value, (list, tuple)) and any(isinstance(v, T) for v in value):
                return type(value)(convert(v) for v in value)
            if isinstance(value, str) and value.startswith("torch."):
                return getattr(ns, value[6:])
            return value

        return [convert(a) for a in self.args], {k: convert(v) for k, v in self.kwargs.items()}

    def call(self, ns: Any, args: list, kwargs: dict):
        """Runs the operator in library ns."""
        if self.seed is not None:
            ns.manual_seed(self.seed)
        if self.fn is not None:
            return self.fn(ns, *args, **kwargs)
        return resolve(ns, self.name)(*args, **kwargs)


def resolve(ns: Any, name: str) -> Callable:
    """The function of that name: ns.name, ns.nn.functional.name, or the method."""
    if name.startswith("special_"):
        return getattr(ns.special, name.removeprefix("special_"))
    for home in (ns, ns.nn.functional, ns.Tensor):
        if hasattr(home, name):
            return getattr(home, name)
    raise AttributeError(f"{ns.__name__} has no operator {name}")


CASES: list[Case] = []


def case(name: str, *args, fn=None, seed=None, grad=True, gradgrad=True, ulp=4.0, strides=True, node=True, **kwargs) -> None:
    """Registers one call."""
    index = sum(1 for c in CASES if c.name == name)
    CASES.append(Case(name, args, kwargs, fn, seed, grad, gradgrad, ulp, strides, node, False, index, f"{name}-{index}"))


def error(name: str, *args, fn=None, **kwargs) -> None:
    """Registers a call that must fail."""
    index = sum(1 for c in CASES if c.name == name)
    CASES.append(Case(name, args, kwargs, fn, error=True, index=index, id=f"{name}-{index}-error"))


def tensors_of(value: Any) -> list:
    """The tensors in a result or an argument list, in order."""
    if hasattr(value, "dtype") and hasattr(value, "detach"):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in tensors_of(v)]
    if isinstance(value, dict):
        return [t for v in value.values() for t in tensors_of(v)]
    return []


def load() -> list[Case]:
    """All cases, from tests/cases/*.py in the order of their names."""
    if not CASES:
        import importlib
        import pkgutil

        import cases

        for module in sorted(m.name for m in pkgutil.iter_modules(cases.__path__)):
            start = len(CASES)
            importlib.import_module(f"cases.{module}")
            for registered in CASES[start:]:
                registered.source = module
    return CASES
