"""Discrete Fourier transforms, as torch.fft.

Short signals (csrc/ops/fft.h: lengths of factors up to 13, up to 4096 numbers, from 257 on at least a vector's lanes of
signals) are transformed by the extension. Others run in SciPy, which keeps float32, or in NumPy; for them one of the two
must be installed (pip install rushlight[linalg]). Three differentiable steps carry everything: complex to complex, real to complex, and complex to
real; the gradient of each is made of the others, so that all derivatives exist.

Common arguments: ``n`` (1-D) or ``s`` (several dims) is the length to transform, reached by cutting off or by adding
zeros at the end; ``dim`` the dims; ``norm`` where the factor 1/n goes: "backward" (to the inverse transform, the
default), "forward", or "ortho" (its square root to both). ``out=`` receives the result. Integers become the default
dtype; float16 and bfloat16 raise RuntimeError as in PyTorch.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from rushlight import _C
from rushlight._C import Tensor
from rushlight.autograd import Function, no_grad

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

Dims = int | Sequence[int] | None

# ---- the three steps ----------------------------------------------------------------------------

_library = None  # scipy.fft or numpy.fft, once needed

# The factor as the library names it, by direction: a forward transform divides by n under "forward", the inverse one
# under "backward"; "ortho" is the same in both.
_NAMES = {
    (True, "none"): "backward", (True, "by n"): "forward", (True, "by root n"): "ortho",
    (False, "none"): "forward", (False, "by n"): "backward", (False, "by root n"): "ortho",
}  # fmt: skip

# As csrc/kernels/fft.h and csrc/ops/fft.h count.
_COMPLEX, _REAL, _TO_HALF, _FROM_HALF = range(4)
_SCALES = {"none": 0, "by n": 1, "by root n": 2}


def _functions() -> Any:
    """The library with the transforms."""
    global _library
    if _library is None:
        try:
            import scipy.fft as _library
        except ImportError:
            try:
                import numpy.fft as _library
            except ImportError as error:
                raise ModuleNotFoundError(
                    "rushlight.fft needs SciPy or NumPy: pip install rushlight[linalg]"
                ) from error
    return _library


def _tensor(array: Any, like: Tensor, real: bool) -> Tensor:
    """The library's result as a tensor of like's precision (NumPy before 2.0 computes in float64)."""
    dtype = like.dtype.to_real() if real else like.dtype.to_complex()
    result = _C.from_numpy(array if array.flags.writeable and array.ndim else array.copy())
    return result.to(dtype).contiguous()


class FftC2C(Function):
    """Complex to complex over several dims."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], scale: str, onward: bool) -> Tensor:
        ctx.options = dims, scale, onward
        short = _C._fft(x, dims, _COMPLEX, not onward, _SCALES[scale], 0)
        if short is not None:
            return short
        transform = _functions().fftn if onward else _functions().ifftn
        return _tensor(transform(x.detach().numpy(), axes=dims, norm=_NAMES[onward, scale]), x, real=False)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple:
        dims, scale, onward = ctx.options
        return FftC2C.apply(grad, dims, scale, not onward), None, None, None


class FftR2C(Function):
    """Real to complex; onesided: only the first n // 2 + 1 numbers along the last of the dims."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, dims: tuple[int, ...], scale: str, onward: bool, onesided: bool
    ) -> Tensor:
        ctx.options = dims, scale, onward, onesided, x.shape[dims[-1]]
        short = _C._fft(x, dims, _TO_HALF if onesided else _REAL, not onward, _SCALES[scale], 0)
        if short is not None:
            return short
        library, array = _functions(), x.detach().numpy()
        if not onesided:
            transform = library.fftn if onward else library.ifftn
            return _tensor(transform(array, axes=dims, norm=_NAMES[onward, scale]), x, real=False)
        half = library.rfftn(array, axes=dims, norm=_NAMES[True, scale])
        result = _tensor(half, x, real=False)
        return result if onward else result.conj()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple:
        dims, scale, onward, onesided, size = ctx.options
        if onesided:
            grad = _resized(grad, dims[-1:], (size,))
        return FftC2C.apply(grad, dims, scale, not onward).real, None, None, None, None


class FftC2R(Function):
    """Half of a Hermitian-symmetric signal to the real numbers of its transform, size of them along the last dim."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], scale: str, size: int) -> Tensor:
        ctx.options = dims, scale
        short = _C._fft(x, dims, _FROM_HALF, True, _SCALES[scale], size)
        if short is not None:
            return short
        lengths = [x.shape[d] for d in dims[:-1]] + [size]
        array = _functions().irfftn(x.detach().numpy(), s=lengths, axes=dims, norm=_NAMES[False, scale])
        return _tensor(array, x, real=True)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple:
        dims, scale = ctx.options
        half = FftR2C.apply(grad, dims, scale, True, True)
        # All but the first and, of an even number, the middle one stand for two.
        size, kept = grad.shape[dims[-1]], half.shape[dims[-1]]
        twice = size - kept
        weights = [1.0] + [2.0] * twice + [1.0] * (kept - twice - 1)
        shape = [1] * half.dim()
        shape[dims[-1]] = kept
        return half * _C.tensor(weights, dtype=grad.dtype).view(shape), None, None, None


# ---- arguments ----------------------------------------------------------------------------------


def _scale(norm: str | None, onward: bool) -> str:
    """The factor that a norm asks for in this direction."""
    if norm not in (None, "backward", "forward", "ortho"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    if norm == "ortho":
        return "by root n"
    return "by n" if (norm == "forward") == onward else "none"


def _checked(x: Any, name: str) -> Tensor:
    """The input in a dtype that has transforms."""
    if not isinstance(x, Tensor):
        kind = type(x).__name__
        raise TypeError(f"fft_{name}(): argument 'input' (position 1) must be Tensor, not {kind}")
    if x.is_complex() or x.dtype in (_C.float32, _C.float64):
        return x
    if x.is_floating_point():
        title = "Half" if x.dtype == _C.float16 else "BFloat16"
        raise RuntimeError(f"Unsupported dtype {title}")
    return x.to(_C.get_default_dtype())


def _as_complex(x: Tensor) -> Tensor:
    return x if x.is_complex() else x.to(x.dtype.to_complex())


def _need_real(x: Tensor, name: str, what: str) -> Tensor:
    if x.is_complex():
        title = "ComplexFloat" if x.dtype == _C.complex64 else "ComplexDouble"
        raise RuntimeError(f"{name} expects a {what} input tensor, but got {title}")
    return x


def _wrapped(dim: int, ndim: int) -> int:
    """dim as a number from 0 on."""
    if ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    if not -ndim <= dim < ndim:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})"
        )
    return dim % ndim


def _check_length(n: int) -> int:
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return n


def _resized(x: Tensor, dims: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """x cut off, or filled up with zeros, to these sizes."""
    for dim, size in zip(dims, sizes, strict=True):
        have = x.shape[dim]
        if have > size:
            x = x.narrow(dim, 0, size)
        elif have < size:
            shape = list(x.shape)
            shape[dim] = size - have
            x = _C.cat([x, _C.zeros(shape, dtype=x.dtype)], dim)
    return x


def _one(x: Tensor, n: int | None, dim: int) -> tuple[int, int]:
    """dim and length of a 1-D transform."""
    dim = _wrapped(dim, x.dim())
    return dim, _check_length(x.shape[dim] if n is None else n)


def _several(x: Tensor, s: Dims, dim: Dims) -> tuple[tuple[int, ...], list[int]]:
    """dims and lengths of a transform over several dims."""
    ndim = x.dim()
    sizes = [s] if isinstance(s, int) else None if s is None else list(s)
    if dim is not None:
        dims = tuple(_wrapped(d, ndim) for d in ((dim,) if isinstance(dim, int) else dim))
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
        if sizes is not None and len(sizes) != len(dims):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    elif sizes is None:
        dims = tuple(builtins.range(ndim))
    else:
        if len(sizes) > ndim:
            raise RuntimeError(
                f"Got shape with {len(sizes)} values but input tensor only has {ndim} dimensions."
            )
        dims = tuple(builtins.range(ndim - len(sizes), ndim))
    if sizes is None:
        sizes = [-1] * len(dims)
    lengths = [x.shape[d] if size == -1 else size for d, size in zip(dims, sizes, strict=True)]
    return dims, [_check_length(n) for n in lengths]


def _half(x: Tensor, s: Dims, dim: Dims, name: str) -> tuple[tuple[int, ...], list[int], int]:
    """The same where the last dim holds half of a symmetric signal: also the signal's length."""
    dims, sizes = _several(x, s, dim)
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    last = None if s is None else s if isinstance(s, int) else s[-1]
    size = 2 * (x.shape[dims[-1]] - 1) if last in (None, -1) else last
    sizes[-1] = _check_length(size) // 2 + 1
    return dims, sizes, size


def _given(result: Tensor, out: Tensor | None) -> Tensor:
    """Copies the result to out, where there is one."""
    if out is None:
        return result
    if out.shape != result.shape:
        out.resize_(result.shape)
    with no_grad():
        return out.copy_(result)


# ---- one dim ------------------------------------------------------------------------------------


def _full_1d(x: Tensor, n: int | None, dim: int, norm: str | None, onward: bool) -> Tensor:
    dim, size = _one(x, n, dim)
    x, scale = _resized(x, (dim,), (size,)), _scale(norm, onward)
    if x.is_complex():
        return FftC2C.apply(x, (dim,), scale, onward)
    return FftR2C.apply(x, (dim,), scale, onward, False)


def fft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Fourier transform along one dim: complex, of the size n."""
    return _given(_full_1d(_checked(input, "fft"), n, dim, norm, True), out)


def ifft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Inverse Fourier transform along one dim: complex, of the size n."""
    return _given(_full_1d(_checked(input, "ifft"), n, dim, norm, False), out)


def _to_half(x: Tensor, n: int | None, dim: int, norm: str | None, onward: bool) -> Tensor:
    dim, size = _one(x, n, dim)
    return FftR2C.apply(_resized(x, (dim,), (size,)), (dim,), _scale(norm, onward), onward, True)


def _from_half(x: Tensor, n: int | None, dim: int, norm: str | None, onward: bool) -> Tensor:
    x = _as_complex(x)
    dim = _wrapped(dim, x.dim())
    size = _check_length(2 * (x.shape[dim] - 1) if n is None else n)
    if n is not None:
        x = _resized(x, (dim,), (size // 2 + 1,))
    if onward:
        x = x.conj()
    return FftC2R.apply(x, (dim,), _scale(norm, onward), size)


def rfft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Fourier transform of a real signal: complex, the first n // 2 + 1 numbers."""
    x = _need_real(_checked(input, "rfft"), "rfft", "real")
    return _given(_to_half(x, n, dim, norm, True), out)


def irfft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Inverse of rfft: real, of the size n, by default twice the input's less two."""
    return _given(_from_half(_checked(input, "irfft"), n, dim, norm, False), out)


def hfft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Fourier transform of a Hermitian-symmetric signal, given by its first half: real, of the size n."""
    return _given(_from_half(_checked(input, "hfft"), n, dim, norm, True), out)


def ihfft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Inverse of hfft: complex, the first n // 2 + 1 numbers."""
    x = _need_real(_checked(input, "ihfft"), "ihfft", "real")
    return _given(_to_half(x, n, dim, norm, False), out)


# ---- several dims -------------------------------------------------------------------------------


def _full(x: Tensor, s: Dims, dim: Dims, norm: str | None, onward: bool) -> Tensor:
    scale = _scale(norm, onward)
    dims, sizes = _several(x, s, dim)
    x = _resized(x, dims, sizes)
    if not dims:
        return x.clone() if x.is_complex() else _as_complex(x)
    return FftC2C.apply(x, dims, scale, onward) if x.is_complex() else FftR2C.apply(x, dims, scale, onward, False)


def fftn(
    input: Tensor, s: Dims = None, dim: Dims = None, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Fourier transform over several dims, by default over all."""
    return _given(_full(_checked(input, "fftn"), s, dim, norm, True), out)


def ifftn(
    input: Tensor, s: Dims = None, dim: Dims = None, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Inverse Fourier transform over several dims, by default over all."""
    return _given(_full(_checked(input, "ifftn"), s, dim, norm, False), out)


def rfftn(
    input: Tensor, s: Dims = None, dim: Dims = None, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Fourier transform of a real signal over several dims; the last of them keeps n // 2 + 1 numbers."""
    x, scale = _need_real(_checked(input, "rfftn"), "rfftn", "real-valued"), _scale(norm, True)
    dims, sizes = _several(x, s, dim)
    if not dims:
        raise RuntimeError("rfftn must transform at least one axis")
    return _given(FftR2C.apply(_resized(x, dims, sizes), dims, scale, True, True), out)


def irfftn(
    input: Tensor, s: Dims = None, dim: Dims = None, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Inverse of rfftn: real."""
    x, scale = _as_complex(_checked(input, "irfftn")), _scale(norm, False)
    dims, sizes, size = _half(x, s, dim, "irfftn")
    return _given(FftC2R.apply(_resized(x, dims, sizes), dims, scale, size), out)


def hfftn(
    input: Tensor, s: Dims = None, dim: Dims = None, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Fourier transform of a Hermitian-symmetric signal over several dims, half of the last being given: real."""
    x, scale = _as_complex(_checked(input, "hfftn")), _scale(norm, True)
    dims, sizes, size = _half(x, s, dim, "hfftn")
    x = _resized(x, dims, sizes)
    if len(dims) > 1:
        x = FftC2C.apply(x, dims[:-1], scale, True)
    return _given(FftC2R.apply(x.conj(), dims[-1:], scale, size), out)


def ihfftn(
    input: Tensor, s: Dims = None, dim: Dims = None, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Inverse of hfftn: complex, n // 2 + 1 numbers along the last of the dims."""
    x, scale = _need_real(_checked(input, "ihfftn"), "ihfftn", "real-valued"), _scale(norm, False)
    dims, sizes = _several(x, s, dim)
    if not dims:
        raise RuntimeError("ihfftn must transform at least one axis")
    half = FftR2C.apply(_resized(x, dims, sizes), dims[-1:], scale, False, True)
    return _given(FftC2C.apply(half, dims[:-1], scale, False) if len(dims) > 1 else half, out)


def fft2(
    input: Tensor, s: Dims = None, dim: Dims = (-2, -1), norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """fftn over two dims, by default the last."""
    return fftn(input, s, dim, norm, out=out)


def ifft2(
    input: Tensor, s: Dims = None, dim: Dims = (-2, -1), norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """ifftn over two dims, by default the last."""
    return ifftn(input, s, dim, norm, out=out)


def rfft2(
    input: Tensor, s: Dims = None, dim: Dims = (-2, -1), norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """rfftn over two dims, by default the last."""
    return rfftn(input, s, dim, norm, out=out)


def irfft2(
    input: Tensor, s: Dims = None, dim: Dims = (-2, -1), norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """irfftn over two dims, by default the last."""
    return irfftn(input, s, dim, norm, out=out)


def hfft2(
    input: Tensor, s: Dims = None, dim: Dims = (-2, -1), norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """hfftn over two dims, by default the last."""
    return hfftn(input, s, dim, norm, out=out)


def ihfft2(
    input: Tensor, s: Dims = None, dim: Dims = (-2, -1), norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """ihfftn over two dims, by default the last."""
    return ihfftn(input, s, dim, norm, out=out)


# ---- frequencies and order ----------------------------------------------------------------------


def _frequencies(name: str, numbers: Tensor, n: int, d: float, options: dict[str, Any]) -> Tensor:
    out, requires_grad = options.pop("out", None), options.pop("requires_grad", False)
    dtype = options.pop("dtype", None) or (out.dtype if out is not None else _C.get_default_dtype())
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    _C.empty(0, **options)  # its errors for layout and device
    span = n * d
    result = numbers.to(dtype) * (1.0 / span if span else float("inf"))
    return _given(result.requires_grad_(requires_grad), out)


def fftfreq(n: int, d: float = 1.0, **options: Any) -> Tensor:
    """Frequencies of fft's numbers, for samples d apart: 0, 1, ... then the negative ones, each over n d.

    Keywords: out, dtype (floating), layout, device, requires_grad.
    """
    numbers = _C.arange(n) if n < 1 else _C.cat([_C.arange((n + 1) // 2), _C.arange(-(n // 2), 0)])
    return _frequencies("fftfreq", numbers, n, d, options)


def rfftfreq(n: int, d: float = 1.0, **options: Any) -> Tensor:
    """Frequencies of rfft's numbers: 0, 1, ..., n // 2, each over n d. Keywords as of fftfreq."""
    return _frequencies("rfftfreq", _C.arange(n // 2 + 1), n, d, options)


def _shifted(x: Tensor, dim: Dims, inverse: bool) -> Tensor:
    dims = tuple(builtins.range(x.dim())) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    sizes = [x.shape[d] for d in dims]
    return x.roll([(n + 1) // 2 if inverse else n // 2 for n in sizes], dims) if dims else x.clone()


def fftshift(input: Tensor, dim: Dims = None) -> Tensor:
    """Moves the frequency 0 to the middle of the dims, by default of all."""
    return _shifted(input, dim, inverse=False)


def ifftshift(input: Tensor, dim: Dims = None) -> Tensor:
    """Undoes fftshift."""
    return _shifted(input, dim, inverse=True)


for _name in __all__:
    globals()[_name] = _C._overridable(globals()[_name], __name__)
