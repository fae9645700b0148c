"""Windows, as torch.signal.windows.

Each has M points and is 1 at its middle. ``sym=True`` (default): symmetric, for filters; False: periodic, the first M points
of a symmetric window of M + 1, for spectra. dtype: the default dtype, or float32, float64. ``layout``, ``device`` and
``requires_grad`` as in all constructors.

Raises ValueError for a negative M, another dtype or layout, or a parameter outside its range.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

from rushlight import _C
from rushlight._C import Tensor

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming", "hann",
    "kaiser", "nuttall",
]  # fmt: skip


def _window(function: Callable) -> Callable:
    """Checks what all windows share and makes the options of constructors; a window without points needs no formula."""

    @functools.wraps(function)
    def wrapper(
        M: int,
        *,
        sym: bool = True,
        dtype: Any = None,
        layout: Any = _C.strided,
        device: Any = None,
        requires_grad: bool = False,
        **parameters: Any,
    ) -> Tensor:
        name = function.__name__
        dtype = _C.get_default_dtype() if dtype is None else dtype
        if M < 0:
            raise ValueError(f"{name} requires non-negative window length, got M={M}")
        if layout is not _C.strided:
            raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
        if dtype not in (_C.float32, _C.float64):
            raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")
        options = {"dtype": dtype, "device": device}
        points = function(M, M - 1 if sym else M, options, **parameters) if M else _C.empty(0, **options)
        return points.requires_grad_() if requires_grad else points

    return wrapper


def _line(start: float, step: float, M: int, options: dict) -> Tensor:
    """start, start + step, ..., M of them."""
    return _C.linspace(start, start + (M - 1) * step, M, **options)


@_window
def exponential(M: int, n: int, options: dict, *, center: float | None = None, tau: float = 1.0) -> Tensor:
    """exp(-|k - center| / tau), falling off on both sides of center (of symmetric windows always the middle)."""
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if n < M and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    middle = (n if M > 1 else 0) / 2 if center is None else center
    return (-_line(-middle / tau, 1 / tau, M, options).abs()).exp()


@_window
def cosine(M: int, n: int, options: dict) -> Tensor:
    """sin(pi (k + 1/2) / M): half a wave."""
    step = math.pi / (n + 1 if M > 1 else 1)
    return _line(0.5 * step, step, M, options).sin()


@_window
def gaussian(M: int, n: int, options: dict, *, std: float = 1.0) -> Tensor:
    """exp(-k^2 / (2 std^2)), k counted from the middle."""
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    step = 1 / (std * math.sqrt(2))
    k = _line(-(n if M > 1 else 0) / 2 * step, step, M, options)
    return (-(k**2)).exp()


@_window
def kaiser(M: int, n: int, options: dict, *, beta: float = 12.0) -> Tensor:
    """I0(beta sqrt(1 - x^2)) / I0(beta), x from -1 to 1, I0 the modified Bessel function (Kaiser, 1966)."""
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    if M == 1:
        return _C.ones(1, **options)
    step = 2.0 * beta / n
    k = _C.linspace(-beta, min(beta, -beta + (M - 1) * step), M, **options)
    limit = _C.tensor(-beta, **options)
    return _C.i0((beta * beta - k**2).sqrt()) / _C.i0(limit)


def _cosines(M: int, n: int, options: dict, a: Iterable) -> Tensor:
    """a_0 - a_1 cos(2 pi k / n) + a_2 cos(4 pi k / n) - ..."""
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    a = list(a)
    if not a:
        raise ValueError("Coefficients cannot be empty")
    if M == 1:
        return _C.ones(1, **options)
    k = _line(0, 2 * math.pi / n, M, options)
    signed = _C.tensor([-w if i % 2 else w for i, w in enumerate(a)], **options)
    order = _C.arange(len(a), **options)
    return (signed.unsqueeze(-1) * (order.unsqueeze(-1) * k).cos()).sum(0)


@_window
def general_cosine(M: int, n: int, options: dict, *, a: Iterable) -> Tensor:
    """a_0 - a_1 cos(2 pi k / n) + a_2 cos(4 pi k / n) - ..., with the numbers a."""
    return _cosines(M, n, options, a)


@_window
def general_hamming(M: int, n: int, options: dict, *, alpha: float = 0.54) -> Tensor:
    """alpha - (1 - alpha) cos(2 pi k / n)."""
    return _cosines(M, n, options, [alpha, 1.0 - alpha])


@_window
def hamming(M: int, n: int, options: dict) -> Tensor:
    """0.54 - 0.46 cos(2 pi k / n)."""
    return _cosines(M, n, options, [0.54, 1.0 - 0.54])


@_window
def hann(M: int, n: int, options: dict) -> Tensor:
    """(1 - cos(2 pi k / n)) / 2."""
    return _cosines(M, n, options, [0.5, 0.5])


@_window
def blackman(M: int, n: int, options: dict) -> Tensor:
    """0.42 - 0.5 cos(2 pi k / n) + 0.08 cos(4 pi k / n)."""
    return _cosines(M, n, options, [0.42, 0.5, 0.08])


@_window
def nuttall(M: int, n: int, options: dict) -> Tensor:
    """Four cosines with the weights of Nuttall (1981), continuous in the first derivative."""
    return _cosines(M, n, options, [0.3635819, 0.4891775, 0.1365995, 0.0106411])


@_window
def bartlett(M: int, n: int, options: dict) -> Tensor:
    """1 - |2 k / n - 1|: a triangle."""
    if M == 1:
        return _C.ones(1, **options)
    return 1 - _line(-1, 2 / n, M, options).abs()
