"""Windows and short-time Fourier transforms of the torch namespace: hann_window, stft, istft and their like."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight._C import Tensor
from rushlight.linalg._common import overridable, title

# ---- windows -------------------------------------------------------------------------------------
# A window of n points is 1 at its middle. periodic: the first n points of a symmetric one of n + 1. Computed step by step
# in its dtype, in PyTorch's order.


def _points(name: str, n: int, periodic: bool, dtype: Any, options: dict) -> Tensor:
    """0, 1, ... up to the last point, one point more for a periodic window."""
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(
            f"{name}(): argument 'window_length' (position 1) must be int, not {type(n).__name__}"
        )
    dtype = _C.get_default_dtype() if dtype is None else dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name} expects floating point dtypes, got: {title(dtype)}")
    if n < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={n}")
    for option in options:
        if option not in ("layout", "device", "pin_memory", "requires_grad"):
            raise TypeError(f"{name}() got an unexpected keyword argument '{option}'")
    if n < 2:
        return _C.ones(n, dtype=dtype)
    return _C.arange(n + bool(periodic), dtype=dtype)


def _finished(points: Tensor, n: int, options: dict) -> Tensor:
    """The first n points, with the options of constructors."""
    result = _C.empty(n, dtype=points.dtype, **options)
    result.data.copy_(points[:n])
    return result


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *, dtype: Any = None, **options: Any
) -> Tensor:
    """alpha - beta cos(2 pi k / n).

    Raises:
        RuntimeError: a negative length or a dtype that is not floating.
    """
    return _hamming("hamming_window", window_length, periodic, alpha, beta, dtype, options)


def _hamming(
    name: str, n: int, periodic: bool, alpha: float, beta: float, dtype: Any, options: dict
) -> Tensor:
    k = _points(name, n, periodic, dtype, options)
    if n > 1:
        k.mul_(math.pi * 2.0 / (len(k) - 1)).cos_().mul_(-beta).add_(alpha)
    return _finished(k, n, options)


def hann_window(window_length: int, periodic: bool = True, *, dtype: Any = None, **options: Any) -> Tensor:
    """(1 - cos(2 pi k / n)) / 2; raises as hamming_window."""
    return _hamming("hann_window", window_length, periodic, 0.5, 0.5, dtype, options)


def blackman_window(window_length: int, periodic: bool = True, *, dtype: Any = None, **options: Any) -> Tensor:
    """0.42 - 0.5 cos(2 pi k / n) + 0.08 cos(4 pi k / n); raises as hamming_window."""
    k = _points("blackman_window", window_length, periodic, dtype, options)
    if window_length > 1:
        k.mul_(math.pi / (len(k) - 1))
        k = k.mul(4).cos_().mul_(0.08) - k.mul(2).cos_().mul_(0.5) + 0.42
    return _finished(k, window_length, options)


def bartlett_window(window_length: int, periodic: bool = True, *, dtype: Any = None, **options: Any) -> Tensor:
    """1 - |2 k / n - 1|: a triangle; raises as hamming_window."""
    k = _points("bartlett_window", window_length, periodic, dtype, options)
    if window_length > 1:
        n = len(k)
        k.mul_(2.0 / (n - 1))
        k[(n - 1) // 2 + 1 :].mul_(-1).add_(2)
    return _finished(k, window_length, options)


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: Any = None, **options: Any
) -> Tensor:
    """I0(beta sqrt(1 - x^2)) / I0(beta), x from -1 to 1; raises as hamming_window."""
    k = _points("kaiser_window", window_length, periodic, dtype, options)
    if window_length > 1:
        x = k.float() if k.dtype in (_C.float16, _C.bfloat16) else k
        half = (len(k) - 1) / 2.0
        x = (x - half) / half
        top = _C.i0(_C.tensor(beta, dtype=x.dtype))
        k = (_C.i0((1 - x * x).sqrt() * beta) / top).to(k.dtype)
    return _finished(k, window_length, options)


# ---- short-time Fourier transforms ------------------------------------------------------------------


def _shape(x: Tensor) -> str:
    return ", ".join(map(str, x.shape))


def _whole_window(window: Tensor | None, n_fft: int, win_length: int, like: Tensor) -> Tensor:
    """The window in the middle of n_fft points; ones without one."""
    window = _C.ones(win_length, dtype=like.dtype) if window is None else window
    if win_length == n_fft:
        return window
    left = (n_fft - win_length) // 2
    return _C.constant_pad_nd(window, (left, n_fft - win_length - left))


@overridable
def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """Fourier transforms of overlapping windowed frames of a signal.

    Args:
        input: (T) or (B, T), real or complex.
        n_fft: length of a frame. hop_length: distance of two (default n_fft // 4).
        window: (win_length), padded on both sides to n_fft; default: ones.
        center: the signal is padded by pad_mode, so that frame t is centred at t * hop_length.
        normalized: times 1 / sqrt(n_fft). onesided: only the first n_fft // 2 + 1 frequencies (default for real signals).
        return_complex: False: real and imaginary parts as a last dim, deprecated; real signals need a choice.
        align_to_window: frames begin where the window does (center=False only).

    Shape: (..., N, frames), N the number of frequencies.

    Raises:
        RuntimeError: lengths, shapes or dtypes that do not fit.
    """
    if align_to_window is not None and center:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    if center:
        from rushlight.nn.functional import pad

        dims = input.dim()
        batched = input.view([1] * (3 - dims) + list(input.shape))
        padded = pad(batched, [n_fft // 2, n_fft // 2], pad_mode)
        input = padded.view(padded.shape[-dims:])

    def fail(why: str) -> RuntimeError:
        shown = "None" if window is None else f"torch.{title(window.dtype)}Tensor{{[{_shape(window)}]}}"
        return RuntimeError(
            f"stft(torch.{title(input.dtype)}Tensor[{_shape(input)}], n_fft={n_fft}, hop_length={hop}, "
            f"win_length={length}, window={shown}, normalized={normalized:d}, onesided={_flag(onesided)}, "
            f"return_complex={_flag(return_complex)}, align_to_window={_flag(align_to_window)}) : {why}"
        )

    is_complex = input.is_complex() or window is not None and window.is_complex()
    if return_complex is None and not is_complex:
        raise RuntimeError(
            "stft requires the return_complex parameter be given for real inputs, and will further require that "
            "return_complex=True in a future PyTorch release."
        )
    if not (input.is_floating_point() or input.is_complex()):
        raise fail("expected a tensor of floating point or complex values")
    if input.dim() not in (1, 2):
        raise fail("expected a 1D or 2D tensor")
    rows = input.unsqueeze(0) if input.dim() == 1 else input
    size = rows.shape[1]
    if n_fft <= 0 or n_fft > size:
        raise fail(f"expected 0 < n_fft < {size}, but got n_fft={n_fft}")
    if hop <= 0:
        raise fail(f"expected hop_length > 0, but got hop_length={hop}")
    if length <= 0 or length > n_fft:
        raise fail(f"expected 0 < win_length <= n_fft, but got win_length={length}")
    if window is not None and (window.dim() != 1 or window.shape[0] != length):
        raise fail(
            f"expected a 1D window tensor of size equal to win_length={length}, but got window with size "
            f"{list(window.shape)}"
        )
    onesided = not is_complex if onesided is None else onesided
    if onesided and is_complex:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    from rushlight import fft

    frame, weights = n_fft, window
    if align_to_window:  # frames as long as the window, the rest of n_fft is zeros on both sides
        frame = length
    else:
        weights = _whole_window(window, n_fft, length, rows) if window is not None or length < n_fft else None
    frames = rows.unfold(1, frame, hop)
    if weights is not None:
        frames = frames * weights
    if frame < n_fft:
        left = (n_fft - frame) // 2
        frames = _C.constant_pad_nd(frames, (left, n_fft - frame - left))
    norm = "ortho" if normalized else None
    spectrum = fft.rfft(frames, norm=norm) if onesided else fft.fft(frames, norm=norm)
    spectrum = spectrum.transpose(1, 2)
    if input.dim() == 1:
        spectrum = spectrum.squeeze(0)
    return spectrum if return_complex or return_complex is None else _C.view_as_real(spectrum)


def _flag(value: bool | None) -> str:
    return "None" if value is None else f"{value:d}"


@overridable
def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """The signal that a short-time Fourier transform came from, by least squares (Griffin and Lim, 1984).

    Args: as those of stft(). length: of the result, cut off or filled with zeros. return_complex: a complex signal.

    Shape: input (N, frames) or (B, N, frames), complex; output (T) or (B, T).

    Raises:
        RuntimeError: lengths, shapes or dtypes that do not fit, or windows that leave gaps.
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    win = n_fft if win_length is None else win_length

    def fail(why: str) -> RuntimeError:
        shown = "None" if window is None else f"torch.{title(window.dtype)}Tensor{{[{_shape(window)}]}}"
        return RuntimeError(
            f"istft(CPU{title(input.dtype)}Type[{_shape(input)}], n_fft={n_fft}, hop_length={hop}, win_length={win}, "
            f"window={shown}, center={center:d}, normalized={normalized:d}, onesided={_flag(onesided)}, "
            f"length={length}, return_complex={return_complex:d}) {why}"
        )

    if not input.is_complex():
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    if input.numel() == 0:
        raise fail(": input tensor cannot be empty.")
    if input.dim() not in (2, 3):
        raise fail(f": expected a tensor with 3 or 4 dimensions, but got {input.dim() + 1}")
    whole = onesided is False or onesided is None and input.shape[-2] == n_fft
    if whole and input.shape[-2] != n_fft:
        raise fail(
            ": expected the frequency dimension (3rd to the last) of the input tensor to match n_fft when "
            f"onesided=False, but got {input.shape[-2]}"
        )
    if not whole and input.shape[-2] != n_fft // 2 + 1:
        raise fail(
            ": expected the frequency dimension (3rd to the last) of the input tensor to match n_fft / 2 + 1 when "
            f"onesided=True, but got {input.shape[-2]}"
        )
    if not 0 < hop <= win:
        raise fail(": expected 0 < hop_length <= win_length")
    if not 0 < win <= n_fft:
        raise fail(": expected 0 < win_length <= n_fft")
    if window is not None and (window.dim() != 1 or window.shape[0] != win):
        raise fail(": Invalid window shape. window has to be 1D and length of `win_length`")
    if return_complex and not whole:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if not return_complex and window is not None and window.is_complex():
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    from rushlight import fft

    if window is None:
        window = _C.ones(win, dtype=input.dtype if return_complex else input.dtype.to_real())
    window = _whole_window(window, n_fft, win, window)
    spectrum = (input.unsqueeze(0) if input.dim() == 2 else input).transpose(1, 2)
    norm = "ortho" if normalized else None
    if return_complex:
        frames = fft.ifft(spectrum, norm=norm)
    else:
        half = spectrum if not whole else spectrum[:, :, : n_fft // 2 + 1]
        frames = fft.irfft(half, n_fft, norm=norm)
    count = frames.shape[1]
    size = n_fft + hop * (count - 1)
    signal = _overlap_add(frames * window.view(1, 1, n_fft), hop, size)
    squares = window.pow(2).expand(1, count, n_fft)
    envelope = _overlap_add(squares, hop, size)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else size - n_fft // 2 if center else size
    end = min(end, size)
    signal, envelope = signal[:, start:end], envelope[:, start:end]
    least = envelope.detach().abs().min()
    if not least.item() > 1e-11:
        raise fail("window overlap add min: 1")
    signal = signal / envelope
    if input.dim() == 2:
        signal = signal.squeeze(0)
    if length is not None and end - start < length:
        import warnings

        warnings.warn(
            f"The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. "
            f"Please check your center and hop_length settings. Got length={length}, size={end - start}",
            stacklevel=2,
        )
        signal = _C.constant_pad_nd(signal, (0, length - (end - start)))
    return signal


def _overlap_add(frames: Tensor, hop: int, size: int) -> Tensor:
    """(B, frames, n) to (B, size): frame t added from t * hop on."""
    _, count, n = frames.shape
    places = _C.arange(count).unsqueeze(1) * hop + _C.arange(n)
    result = _C.zeros(frames.shape[0], size, dtype=frames.dtype)
    return result.index_add(1, places.reshape(-1), frames.reshape(frames.shape[0], -1))
