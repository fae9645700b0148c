"""torch.special: functions of mathematics; many are operators of the main namespace under another name."""

from __future__ import annotations

from typing import Any

import rushlight
from rushlight import _C
from rushlight._C import Tensor, erf, exp2, expm1, log1p, logsumexp, round  # noqa: F401

expit = _C.sigmoid

# name here -> operator of the main namespace
_OPERATORS = {
    "digamma": "digamma",
    "erfc": "erfc",
    "erfinv": "erfinv",
    "gammainc": "igamma",
    "gammaincc": "igammac",
    "gammaln": "lgamma",
    "i0": "i0",
    "logit": "logit",
    "multigammaln": "mvlgamma",
    "polygamma": "polygamma",
    "psi": "digamma",
    "sinc": "sinc",
    "xlogy": "xlogy",
}


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """exp(x) over the sum of exp(x) along dim."""
    return _C.softmax(input, dim, dtype)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """log(softmax(x)) along dim, stable."""
    return _C.log_softmax(input, dim, dtype)


def __getattr__(name: str) -> Any:
    """Operators of the main namespace, looked up when they are used."""
    if name in _OPERATORS and hasattr(rushlight, _OPERATORS[name]):
        value = getattr(rushlight, _OPERATORS[name])
        globals()[name] = value
        return value
    raise AttributeError(f"module 'rushlight.special' has no attribute '{name}'", name=name)


def __dir__() -> list[str]:
    return sorted({*globals(), *(n for n, op in _OPERATORS.items() if hasattr(rushlight, op))})
