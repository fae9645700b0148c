"""torch._foreach_...: an operator on each tensor of a list. PyTorch's speed kernels; here they are loops.

The names that end in an underscore write in place and return nothing but the tensors; those without return a tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rushlight import _C
from rushlight._C import Tensor

_UNARY = frozenset(
    """abs acos asin atan ceil clone cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 neg reciprocal
    round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc zero""".split()
)
_BINARY = frozenset("add clamp_max clamp_min copy div lerp maximum minimum mul pow sub".split())
_TERNARY = frozenset(("addcdiv", "addcmul"))
_CLAMPS = {"maximum": "clamp_min", "minimum": "clamp_max"}  # of a number: the operators want tensors


def _items(value: Any, n: int) -> Sequence[Any]:
    """One value for each tensor: of a list as it is, any other value n times."""
    if not isinstance(value, (list, tuple)):
        return [value] * n
    if len(value) != n:
        raise RuntimeError(f"Tensor lists must have the same number of tensors, got {n} and {len(value)}")
    return value


def _of_each(name: str, inplace: bool) -> Callable[..., Any]:
    def foreach(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(self, (list, tuple)):  # _foreach_pow(2, exponents)
            (others,) = args
            return tuple(_C.pow(self, x) for x in others)
        given = [_items(a, len(self)) for a in args if not isinstance(a, bool)]
        if name in _TERNARY and len(given) == 3:
            kwargs["value"] = given.pop()
            return _written(_addc(self, given, kwargs["value"]), self, inplace)
        results = []
        for x, *rest in zip(self, *given, strict=True):
            key = _CLAMPS.get(name, name) if rest and not isinstance(rest[0], Tensor) else name
            direct = inplace and key not in _CLAMPS  # there is no maximum_
            results.append(getattr(x, key + "_" * direct)(*rest, **kwargs))
        return _written(results, self, inplace)

    def _addc(tensors: Sequence[Tensor], given: list, values: Any) -> list[Tensor]:
        values = values.tolist() if isinstance(values, Tensor) else values
        operator = getattr(_C, name)
        return [operator(x, a, b, value=v) for x, a, b, v in zip(tensors, *given, values, strict=True)]

    foreach.__name__ = foreach.__qualname__ = f"_foreach_{name}{'_' * inplace}"
    foreach.__doc__ = f"Tensor.{name}{'_' * inplace} of each tensor."
    return foreach


def _written(results: list[Tensor], tensors: Sequence[Tensor], inplace: bool) -> Any:
    if not inplace:
        return tuple(results)
    for x, y in zip(tensors, results, strict=True):
        if y is not x:
            x.copy_(y)
    return list(tensors)


def _foreach_norm(self: Sequence[Tensor], ord: Any = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    """The norm of each tensor's elements."""
    from rushlight.linalg import vector_norm

    return tuple(vector_norm(x, ord, dtype=dtype) for x in self)


def _foreach_max(self: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The greatest element of each tensor."""
    return tuple(x.max() for x in self)


for _name in _UNARY | _BINARY | _TERNARY:
    if _name not in ("zero", "copy"):
        globals()[f"_foreach_{_name}"] = _of_each(_name, inplace=False)
    if _name != "clone":
        globals()[f"_foreach_{_name}_"] = _of_each(_name, inplace=True)
