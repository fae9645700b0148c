"""assert_close passes and fails as PyTorch's, with its words."""

from __future__ import annotations

import math

import numpy as np
import pytest

import rushlight

NAN = math.nan
# (name, a call with the library's namespace)
CALLS = {
    "value": lambda t, a: a(t.tensor([1.0, 2, 3]), t.tensor([1.0, 2, 4])),
    "value 2d": lambda t, a: a(t.zeros(2, 3), t.tensor([[0.0, 0, 0], [0, 5, 7]])),
    "near": lambda t, a: a(t.tensor([1.0]), t.tensor([1.000001])),
    "shape": lambda t, a: a(t.tensor([1.0, 2, 3]), t.tensor([1.0, 2, 4, 5])),
    "dtype": lambda t, a: a(t.ones(2), t.ones(2).double()),
    "dtype unchecked": lambda t, a: a(t.ones(2), t.ones(2).double(), check_dtype=False),
    "numbers": lambda t, a: a(1.0, 2.0),
    "ints": lambda t, a: a(1, 2),
    "types": lambda t, a: a(1, 1.0),
    "list": lambda t, a: a([1.0, t.ones(2)], [1.0, t.zeros(2)]),
    "nested": lambda t, a: a([[1.0, 2.0], [3.0]], [[1.0, 2.0], [4.0]]),
    "length": lambda t, a: a([1], [1, 2]),
    "dict": lambda t, a: a({"a": t.ones(2)}, {"a": t.zeros(2)}),
    "keys": lambda t, a: a({"a": t.ones(2)}, {"b": t.zeros(2)}),
    "integers": lambda t, a: a(t.tensor([1, 2]), t.tensor([1, 3])),
    "bools": lambda t, a: a(t.tensor([True, False]), t.tensor([True, True])),
    "bool": lambda t, a: a(True, False),
    "0-dim": lambda t, a: a(t.tensor(1.0), t.tensor(2.0)),
    "nan": lambda t, a: a(t.tensor([NAN]), t.tensor([NAN])),
    "equal nan": lambda t, a: a(t.tensor([NAN]), t.tensor([NAN]), equal_nan=True),
    "inf": lambda t, a: a(t.tensor([math.inf, -math.inf]), t.tensor([math.inf, -math.inf])),
    "only rtol": lambda t, a: a(t.ones(2), t.zeros(2), rtol=1e-3),
    "exact": lambda t, a: a(t.ones(2), t.zeros(2), rtol=0, atol=0),
    "wide": lambda t, a: a(t.ones(2), t.zeros(2), rtol=0, atol=2),
    "msg": lambda t, a: a(t.ones(2), t.zeros(2), msg="hello"),
    "msg function": lambda t, a: a(t.ones(2), t.zeros(2), msg=lambda m: "so: " + m),
    "stride": lambda t, a: a(t.ones(2, 3), t.ones(3, 2).t(), check_stride=True),
    "strings": lambda t, a: a("a", "b"),
    "none": lambda t, a: a(None, None),
    "half": lambda t, a: a(t.tensor([1.0]).half(), t.tensor([1.0009]).half()),
    "arrays": lambda t, a: a(np.ones(2), np.zeros(2)),
    "empty": lambda t, a: a(t.ones(0), t.ones(0)),
}
EXPECTED_TO_PASS = {"near", "dtype unchecked", "equal nan", "inf", "wide", "none", "half", "empty"}


def outcome(t, call):
    try:
        call(t, t.testing.assert_close)
    except Exception as error:  # noqa: BLE001 - which it is, is the subject
        return type(error).__name__, str(error)
    return None


@pytest.mark.parametrize("name", CALLS)
def test_passes_or_fails(name):
    result = outcome(rushlight, CALLS[name])
    assert (result is None) == (name in EXPECTED_TO_PASS), result


def test_words():
    with pytest.raises(AssertionError) as failure:
        rushlight.testing.assert_close(rushlight.tensor([1.0, 2, 3]), rushlight.tensor([1.0, 2, 4]))
    assert str(failure.value) == (
        "Tensor-likes are not close!\n\nMismatched elements: 1 / 3 (33.3%)\n"
        "Greatest absolute difference: 1.0 at index (2,) (up to 1e-05 allowed)\n"
        "Greatest relative difference: 0.25 at index (2,) (up to 1.3e-06 allowed)"
    )


@pytest.mark.parametrize("name", CALLS)
def test_like_pytorch(name):
    torch = pytest.importorskip("torch")
    mine, theirs = outcome(rushlight, CALLS[name]), outcome(torch, CALLS[name])
    if name == "integers":  # PyTorch divides integers in float32 and prints that
        mine, theirs = mine[1].rsplit(":", 1)[0], theirs[1].rsplit(":", 1)[0]
    assert mine == theirs


def test_make_tensor():
    make = rushlight.testing.make_tensor
    x = make(3, 4, dtype=rushlight.float32, low=-1, high=1, requires_grad=True)
    assert x.shape == (3, 4)
    assert x.requires_grad
    assert bool((x.abs() <= 1).all())
    y = make((3, 4), dtype=rushlight.int64, noncontiguous=True, exclude_zero=True)
    assert not y.is_contiguous()
    assert bool((y != 0).all())
    with pytest.raises(ValueError, match="low"):
        make(2, dtype=rushlight.float32, low=1, high=1)
