"""Fourier transforms and complex numbers: definitions, PyTorch's values and derivatives, exchange, printing, refusals."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import rushlight as rl

ONE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
MANY = ("fft2", "ifft2", "rfft2", "irfft2", "hfft2", "ihfft2", "fftn", "ifftn", "rfftn", "irfftn", "hfftn", "ihfftn")
NEED_REAL = ("rfft", "ihfft", "rfft2", "ihfft2", "rfftn", "ihfftn")
RNG = np.random.default_rng(5)
REAL = RNG.standard_normal((3, 4))
COMPLEX = RNG.standard_normal((3, 5)) + 1j * RNG.standard_normal((3, 5))


def test_definition():
    """fft is the sum of x[k] exp(-2 pi i j k / n); ifft undoes it."""
    n = 7
    x = rl.tensor(COMPLEX[0].tolist() + [1j, 2.0], dtype=rl.complex128)
    grid = np.outer(np.arange(n), np.arange(n))
    expected = np.exp(-2j * math.pi * grid / n) @ np.array(x.tolist())
    assert np.allclose(rl.fft.fft(x).numpy(), expected)
    assert rl.allclose(rl.fft.ifft(rl.fft.fft(x)), x)
    real = x.real.clone()
    assert rl.allclose(rl.fft.irfft(rl.fft.rfft(real), n), real)
    assert rl.allclose(rl.fft.fft(real)[:4], rl.fft.rfft(real))


def outcome(lib, name, array, args, kwargs):
    """Result, gradient and second gradient of a transform, or the error."""
    x = lib.from_numpy(array.copy()).requires_grad_()
    try:
        y = getattr(lib.fft, name)(x, *args, **kwargs)
    except Exception as error:  # noqa: BLE001 - which one it is, is the subject
        return type(error).__name__, str(error).split("\n")[0]
    weights = lib.from_numpy(np.cos(np.arange(y.numel()) + 0.3).reshape(tuple(y.shape)))
    loss = (y * weights * (1 - 2j)).real.sum() + (y * y.conj() * weights).real.sum()
    (g,) = lib.autograd.grad(loss, x, create_graph=True)
    (gg,) = lib.autograd.grad((g * g.conj()).real.sum(), x)
    return [t.detach().resolve_conj().numpy() for t in (y, g, gg)]


CALLS = [(name, (), {"norm": norm}) for name in ONE + MANY for norm in (None, "backward", "ortho", "forward", "x")]
CALLS += [(name, (n,), {}) for name in ONE for n in (1, 2, 3, 6, 7, 0)]
CALLS += [(name, (4, 0, "ortho"), {}) for name in ONE] + [(name, (), {"dim": 5}) for name in ONE]
CALLS += [(name, (s,), {}) for name in MANY for s in ((3, 3), (5, 2), (-1, 4), (2, 3, 2))]
CALLS += [(name, (), {"dim": dim}) for name in MANY for dim in ((1, 0), (0, 0), (-1,))]


@pytest.mark.differential
@pytest.mark.parametrize("call", CALLS, ids=str)
@pytest.mark.parametrize("array", (REAL, COMPLEX), ids=("real", "complex"))
def test_as_pytorch(call, array):
    """Values, gradients and second gradients, or the error."""
    torch = pytest.importorskip("torch")
    if np.iscomplexobj(array) and call[0] in NEED_REAL:
        pytest.skip("takes real input")
    ours, theirs = outcome(rl, *call[:1], array, *call[1:]), outcome(torch, *call[:1], array, *call[1:])
    assert isinstance(ours, tuple) == isinstance(theirs, tuple), (ours, theirs)
    if isinstance(ours, tuple):
        assert ours == theirs
        return
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11 * (1 + np.abs(b).max()))


def test_precision_and_errors():
    assert rl.fft.fft(rl.ones(4)).dtype == rl.complex64
    assert rl.fft.irfft(rl.ones(4, dtype=rl.complex64)).dtype == rl.float32
    assert rl.fft.fft(rl.arange(4)).dtype == rl.complex64
    out = rl.empty(4, dtype=rl.complex64)
    assert rl.fft.fft(rl.ones(4), out=out) is out and out.tolist() == [4, 0, 0, 0]
    with pytest.raises(RuntimeError, match="Unsupported dtype Half"):
        rl.fft.fft(rl.ones(4, dtype=rl.float16))
    with pytest.raises(RuntimeError, match="rfft expects a real input tensor, but got ComplexFloat"):
        rl.fft.rfft(out)
    with pytest.raises(TypeError):
        rl.fft.fft([1.0])


def test_frequencies_and_shifts():
    assert rl.fft.fftfreq(5).tolist() == pytest.approx([0, 0.2, 0.4, -0.4, -0.2])
    assert rl.fft.rfftfreq(5, 0.1).tolist() == pytest.approx([0, 2, 4])
    assert rl.fft.fftfreq(4, dtype=rl.float64, requires_grad=True).requires_grad
    x = rl.arange(15).view(3, 5)
    assert rl.fft.fftshift(rl.arange(5)).tolist() == [3, 4, 0, 1, 2]
    assert rl.equal(rl.fft.ifftshift(rl.fft.fftshift(x)), x)
    assert rl.equal(rl.fft.ifftshift(rl.fft.fftshift(x, dim=1), dim=1), x)
    with pytest.raises(RuntimeError, match="fftfreq requires a floating point or complex dtype"):
        rl.fft.fftfreq(4, dtype=rl.int32)


# ---- complex tensors beyond the operators of the database ----------------------------------------


def test_python_numbers_and_numpy():
    z = rl.tensor([1 + 2j, 3.0])
    assert z.dtype == rl.complex64 and z.is_complex() and z.dtype.is_complex and not z.is_floating_point()
    assert z.tolist() == [1 + 2j, 3 + 0j] and z[0].item() == complex(z[0]) == 1 + 2j
    assert (z.numpy() == np.array([1 + 2j, 3], np.complex64)).all()
    assert rl.from_numpy(np.array([1j])).dtype == rl.complex128
    assert rl.from_dlpack(z).tolist() == z.tolist()
    assert (rl.ones(2, dtype=rl.float64) + 1j).dtype == rl.complex128
    assert (rl.ones(2) * 1j).dtype == rl.complex64
    assert bool(rl.tensor(1j)) and not bool(rl.tensor(0j))
    with pytest.raises(RuntimeError):
        float(z[0])
    with pytest.warns(UserWarning, match="discards the imaginary part"):
        assert z.float().tolist() == [1, 3]


def test_parts_are_views():
    z = rl.zeros(3, dtype=rl.complex128)
    z.real = rl.tensor([1.0, 2.0, 3.0], dtype=rl.float64)
    z.imag[1] = 5
    assert z.tolist() == [1, 2 + 5j, 3]
    assert rl.view_as_complex(rl.view_as_real(z)).data_ptr() == z.data_ptr()
    w = (z * 1).requires_grad_() * 1
    with pytest.raises(RuntimeError):
        w.real.mul_(2)


def test_gradients_need_real_roots():
    z = rl.tensor([1 + 2j, 3.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="only for real scalar outputs but got torch.complex64"):
        z.sum().backward()
    (z.abs() ** 2).sum().backward()
    assert rl.allclose(z.grad, 2 * z.detach())


def test_printing():
    assert repr(rl.tensor([[1 + 2j, 100.25 - 3j], [0, 1e10j]])) == (
        "tensor([[  1.0000+2.0000e+00j, 100.2500-3.0000e+00j],\n        [  0.0000+0.0000e+00j,   0.0000+1.0000e+10j]])"
    )
    assert repr(rl.tensor([complex(math.nan, math.inf)])) == "tensor([nan+infj])"
    assert repr(rl.tensor(1.5 - 2j, dtype=rl.complex128)) == "tensor(1.5000-2.j, dtype=torch.complex128)"


NAMES = sorted(n for n in dir(rl.Tensor) if not n.startswith("_") and not n.endswith("_"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_no_operator_takes_bits_for_numbers(name):
    """Every method on complex numbers agrees with PyTorch where both give a tensor; else it raises."""
    torch = pytest.importorskip("torch")
    data = [[1 + 2j, 0.5 - 1j], [-1 + 0.25j, 2j]]
    extra = [(), (1,), (rl.tensor(data),), (0, 1)]
    for args in extra:
        try:
            ours = getattr(rl.tensor(data), name)(*args)
        except (RuntimeError, TypeError, ValueError, IndexError, AttributeError, NotImplementedError, AssertionError):
            continue
        if not isinstance(ours, rl.Tensor) or name in ("new", "new_empty", "data_ptr", "cholesky_inverse") or "empty" in name:
            continue
        again = (torch.tensor(data) if isinstance(a, rl.Tensor) else a for a in args)
        try:
            theirs = getattr(torch.tensor(data), name)(*again)
        except TypeError:  # an argument too many, which rushlight's conversions ignore
            continue
        a, b = (np.array(t.tolist()) for t in (ours, theirs))
        assert a.shape == b.shape and np.allclose(a, b, rtol=1e-5, atol=1e-6), (name, args, ours, theirs)


def test_all_pairs_of_dtypes_convert():
    """Through complex128 and back nothing is lost of what fits."""
    names = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64")
    for a, b in itertools.product(names, ("complex64", "complex128")):
        x = rl.tensor([0, 1, 1, 0], dtype=getattr(rl, a))
        assert x.to(getattr(rl, b)).real.tolist() == [0, 1, 1, 0]
        assert not x.to(getattr(rl, b)).imag.any()
