"""Comparing results in tests: `assert_close`, and `make_tensor` for inputs."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import rushlight as torch
from rushlight import Tensor

__all__ = ["assert_close", "make_tensor"]

# dtype -> (rtol, atol); integers and bools compare exactly. PyTorch's defaults.
TOLERANCES = {
    torch.float16: (1e-3, 1e-5),
    torch.bfloat16: (1.6e-2, 1e-5),
    torch.float32: (1.3e-6, 1e-5),
    torch.float64: (1e-7, 1e-7),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Passes when |actual - expected| <= atol + rtol * |expected| everywhere.

    Args:
        actual, expected: tensors, arrays, numbers, None, or sequences and mappings of these.
        rtol, atol: both or neither. Default: by dtype, 1.3e-6 and 1e-5 for float32, 1e-7 and 1e-7 for float64 and Python
            numbers, 0 for integers; of two dtypes the larger.
        equal_nan: nan equals nan. Default: False
        check_dtype: the dtypes must agree; otherwise both are promoted first. Default: True
        check_stride: the strides of strided tensors must agree. Default: False
        msg: what to say instead, or a function of what would be said.

    Raises:
        AssertionError: they differ; says where, and by how much.
        TypeError: inputs of types that do not compare.
        ValueError: only one of rtol and atol is given.
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            "Both 'rtol' and 'atol' must be either specified or omitted, "
            f"but got no {'rtol' if rtol is None else 'atol'}."
        )
    options = {
        "subclasses": allow_subclasses,
        "tolerances": None if rtol is None else (rtol, atol),
        "equal_nan": equal_nan,
        "dtype": check_dtype,
        "stride": check_stride,
    }
    failure = _compare(actual, expected, options, ())
    if failure:
        text = failure if msg is None else msg(failure) if callable(msg) else msg
        raise AssertionError(text)


def _compare(actual: Any, expected: Any, options: dict, path: tuple) -> str | None:
    """What is wrong, or None."""
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        return _compare_mappings(actual, expected, options, path)
    if _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            return f"The length of the sequences mismatch: {len(actual)} != {len(expected)}" + _where(path)
        for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
            failure = _compare(a, e, options, (*path, i))
            if failure:
                return failure
        return None
    failure = _compare_leaves(actual, expected, options)
    return failure + _where(path) if failure else None


def _compare_mappings(actual: Mapping, expected: Mapping, options: dict, path: tuple) -> str | None:
    missing, additional = set(expected) - set(actual), set(actual) - set(expected)
    if missing or additional:
        return (
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {sorted(missing)}\n"
            f"Additional keys in the actual mapping: {sorted(additional)}"
        ) + _where(path)
    for key in actual:
        failure = _compare(actual[key], expected[key], options, (*path, key))
        if failure:
            return failure
    return None


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _where(path: tuple) -> str:
    if not path:
        return ""
    return "\n\nThe failure occurred for item " + "".join(f"[{key!r}]" for key in path)


def _compare_leaves(actual: Any, expected: Any, options: dict) -> str | None:
    if actual is None or expected is None:
        return None if actual is expected else f"None mismatch: {actual!r} is not {expected!r}"
    if isinstance(actual, bool) and isinstance(expected, bool):
        return None if actual is expected else f"Booleans mismatch: {actual} is not {expected}"
    if isinstance(actual, numbers.Real) and isinstance(expected, numbers.Real):
        return _compare_numbers(actual, expected, options)
    return _compare_tensors(*_as_tensors(actual, expected, options), options)


def _as_tensors(actual: Any, expected: Any, options: dict) -> tuple[Tensor, Tensor]:
    """Both as tensors, which NumPy arrays become and lists do not."""
    kinds = (type(actual), type(expected))
    related = issubclass(kinds[0], kinds[1]) or issubclass(kinds[1], kinds[0])
    comparable = related if options["subclasses"] else kinds[0] is kinds[1]
    tensors = []
    for value in (actual, expected):
        if isinstance(value, Tensor):
            tensors.append(value)
        elif comparable and hasattr(value, "__array__"):
            tensors.append(torch.as_tensor(value))
    if len(tensors) < 2 or not comparable:
        raise TypeError(f"No comparison pair was able to handle inputs of type {kinds[0]} and {kinds[1]}.")
    return tensors[0], tensors[1]


def _compare_numbers(actual: Any, expected: Any, options: dict) -> str | None:
    if options["dtype"] and type(actual) is not type(expected):
        return f"The (d)types do not match: {type(actual)} != {type(expected)}."
    whole = isinstance(actual, numbers.Integral) and isinstance(expected, numbers.Integral)
    rtol, atol = options["tolerances"] or ((0.0, 0.0) if whole else TOLERANCES[torch.float64])
    if actual == expected or (options["equal_nan"] and actual != actual and expected != expected):
        return None
    difference = abs(actual - expected)
    if math.isfinite(difference) and difference <= atol + rtol * abs(expected):
        return None
    return _scalar_text(actual, expected, rtol, atol)


def _scalar_text(actual: Any, expected: Any, rtol: float, atol: float) -> str:
    difference = abs(actual - expected)
    relative = difference / abs(expected) if expected else math.inf
    if rtol == 0 and atol == 0:
        return (
            f"Scalars are not equal!\n\nExpected {expected} but got {actual}.\n"
            f"Absolute difference: {difference}\nRelative difference: {relative}"
        )
    return (
        f"Scalars are not close!\n\nExpected {expected} but got {actual}.\n"
        f"Absolute difference: {difference} (up to {atol} allowed)\n"
        f"Relative difference: {relative} (up to {rtol} allowed)"
    )


def _compare_tensors(actual: Tensor, expected: Tensor, options: dict) -> str | None:
    actual, expected = actual.detach(), expected.detach()
    if actual.shape != expected.shape:
        return f"The values for attribute 'shape' do not match: {actual.shape} != {expected.shape}."
    if options["dtype"] and actual.dtype != expected.dtype:
        return f"The values for attribute 'dtype' do not match: {actual.dtype} != {expected.dtype}."
    if options["stride"] and actual.stride() != expected.stride():
        return f"The values for attribute 'stride()' do not match: {actual.stride()} != {expected.stride()}."
    rtol, atol = options["tolerances"] or (
        max(TOLERANCES.get(t.dtype, (0.0, 0.0))[k] for t in (actual, expected)) for k in (0, 1)
    )
    common = torch.promote_types(actual.dtype, expected.dtype)
    # Integers differ exactly in int64, bools as 0 and 1; comparison in float64 rounds neither.
    exact = torch.float64 if common.is_floating_point else torch.int64
    a, e = actual.to(common).to(exact), expected.to(common).to(exact)
    difference = (a - e).abs()
    same = a == e
    if options["equal_nan"]:
        same = same | (a.isnan() & e.isnan())
    close = difference <= atol + rtol * e.abs()
    if common.is_floating_point:
        close = close & a.isfinite() & e.isfinite()
    matches = same | close
    if bool(matches.all()):
        return None
    if actual.ndim == 0:
        return _scalar_text(actual.item(), expected.item(), rtol, atol)
    return _tensor_text(matches, difference, difference / e.abs(), rtol, atol)


def _tensor_text(matches: Tensor, difference: Tensor, relative: Tensor, rtol: float, atol: float) -> str:
    bad, total = int((~matches).sum()), matches.numel()
    equal = rtol == 0 and atol == 0

    def greatest(name: str, values: Tensor, allowed: float) -> str:
        values = torch.where(matches, torch.zeros_like(values), values)
        at = int(values.argmax())
        index = []
        for size in reversed(values.shape):
            at, k = divmod(at, size)
            index.append(k)
        value = values[tuple(reversed(index))].item()
        limit = "" if equal else f" (up to {allowed} allowed)"
        return f"Greatest {name} difference: {value} at index {tuple(reversed(index))}{limit}"

    return "\n".join(
        (
            f"Tensor-likes are not {'equal' if equal else 'close'}!\n",
            f"Mismatched elements: {bad} / {total} ({bad / total:.1%})",
            greatest("absolute", difference, atol),
            greatest("relative", relative, rtol),
        )
    )


def make_tensor(
    *shape: int | Sequence[int],
    dtype: torch.dtype,
    device: Any = None,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of uniform random values from low to high.

    Args:
        shape: sizes, as ints or one sequence.
        dtype: of the result.
        low, high: limits. Default: -9 and 9, 0 and 9 for uint8, 0 and 1 for bool
        noncontiguous: leave a gap between neighbours of the last dim. Default: False
        exclude_zero: no element is 0. Default: False

    Raises:
        ValueError: low >= high; bad dtype for requires_grad.
    """
    size = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else tuple(shape)
    floating = dtype.is_floating_point
    if requires_grad and not floating:
        raise ValueError(f"`requires_grad=True` is not supported for boolean and integral dtypes, but got {dtype}")
    least = 0 if dtype in (torch.uint8, torch.bool) else -9
    low = least if low is None else low
    high = (2 if dtype == torch.bool else 10 if not floating else 9) if high is None else high
    if low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    wide = (*size[:-1], size[-1] * 2) if noncontiguous and size else size
    if floating:
        result = (torch.rand(wide) * (high - low) + low).to(dtype)
    else:
        result = torch.randint(math.ceil(low), math.ceil(high), wide).to(dtype)
    if noncontiguous and size:
        result = result[..., ::2]
    if exclude_zero:
        smallest = torch.finfo(dtype).tiny if floating else 1
        result[result == 0] = smallest
    return result.requires_grad_(requires_grad) if floating else result
