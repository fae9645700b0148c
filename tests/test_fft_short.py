"""Transforms of short signals (csrc/ops/fft.c) against NumPy's: all radices, odd and even lengths, strides, full and
partly filled vectors, both precisions; the same bits on every instruction set and thread count."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

import rushlight as rl
from rushlight import _C

from test_same_bits import available

RNG = np.random.default_rng(3)
LENGTHS = [*range(1, 31), 33, 35, 39, 49, 64, 77, 100, 121, 125, 128, 143, 169, 200, 243, 256, 343, 1000, 1001, 2048]
PRECISIONS = {"float32": (np.float32, np.complex64, 6e-7), "float64": (np.float64, np.complex128, 2e-15)}


def signals(shape, dtype):
    """Real and complex ones."""
    x = RNG.standard_normal(shape)
    return x.astype(PRECISIONS[dtype][0]), (x + 1j * RNG.standard_normal(shape)).astype(PRECISIONS[dtype][1])


def check(got, expected, dtype, what):
    got = got.numpy()
    assert got.shape == expected.shape and got.dtype in PRECISIONS[dtype][:2], what
    assert np.abs(got - expected).max() <= PRECISIONS[dtype][2] * np.abs(expected).max(), what


def wide(a):
    return a.astype(complex if np.iscomplexobj(a) else float)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "ihfft", "irfft", "hfft"])
def test_lengths(name, dtype):
    for n, count in itertools.product(LENGTHS, (1, 3, 8, 17)):
        x, z = signals((count, n), dtype)
        norm = ("backward", "ortho", "forward")[(n + count) % 3]
        for a in (x,) if name in ("rfft", "ihfft") else (x, z):
            size = ()
            if name in ("irfft", "hfft"):
                a, size = a[:, : n // 2 + 1].copy(), (n,)
            check(
                getattr(rl.fft, name)(rl.from_numpy(a), *size, norm=norm),
                getattr(np.fft, name)(wide(a), *size, norm=norm), dtype, (name, n, count, norm),
            )  # fmt: skip


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("shape", [(3, 10, 10), (9, 7, 8), (2, 9, 9), (5, 1, 4), (2, 3, 4, 5)])
def test_dims_and_strides(shape, dtype):
    x, z = signals(shape, dtype)
    order = tuple(range(len(shape)))[::-1]
    for k in range(1, len(shape) + 1):
        for dims in itertools.permutations(range(len(shape)), k):
            for name, a in (("fftn", x), ("fftn", z), ("ifftn", z), ("rfftn", x), ("irfftn", z)):
                if name == "irfftn" and shape[dims[-1]] == 1:
                    continue
                expected = getattr(np.fft, name)(wide(a), axes=dims)
                turned = rl.from_numpy(np.ascontiguousarray(a.transpose(order))).permute(order)
                for t in (rl.from_numpy(a), turned):
                    result = getattr(rl.fft, name)(t, dim=dims)
                    assert result.is_contiguous()
                    check(result, expected, dtype, (name, dims))


def test_a_broken_signal_leaves_its_neighbours_alone():
    x = rl.ones(8, 12)
    x[3, 5] = float("nan")
    good = [i for i in range(8) if i != 3]
    for f in (rl.fft.fft, rl.fft.rfft):
        assert f(x)[good].isfinite().all() and not f(x)[3].isfinite().any()
    assert rl.fft.fft(rl.tensor([1.0, 0.0, 0.0, 0.0])).tolist() == [1, 1, 1, 1]


def test_which_are_short():
    def short(*shape, dims=(1,), dtype=rl.complex64):
        return _C._fft(rl.ones(shape, dtype=dtype), dims, 0, False, 0, 0) is not None

    assert short(1, 256) and short(8, 4096) and short(8, 64, 64, dims=(1, 2))
    assert not short(8, 17) and not short(8, 8192) and not short(1, 512) and not short(8, 64, 128, dims=(1, 2))
    assert not short(0, 4) and not short(1, 4, dims=()) and not short(1, 4, dtype=rl.float32)
    with pytest.raises(TypeError):
        _C._fft(rl.ones(3))
    with pytest.raises(IndexError):
        short(2, 4, dims=(2,))
    with pytest.raises(RuntimeError):
        short(2, 4, dims=(1, 1))


PROGRAM = """
import hashlib
import rushlight as rl
rl.manual_seed(0)
digest = hashlib.sha256()
for dtype in (rl.float32, rl.float64):
    for shape in ((9, 60), (20, 77), (8, 1024), (17, 12, 10), (300, 49)):
        x = rl.randn(shape, dtype=dtype)
        z = rl.complex(x, x.flip(-1))
        for y in (rl.fft.fft(z), rl.fft.ifft(z), rl.fft.rfft(x), rl.fft.irfft(z), rl.fft.fft(z, dim=0), rl.fft.fft2(x)):
            digest.update(y.numpy().tobytes())
print(digest.hexdigest())
"""


def test_the_same_bits():
    found = set()
    for isa, threads in [(isa, 1) for isa in available()] + [(available()[-1], 2)]:
        environment = os.environ | {"RUSHLIGHT_ISA": isa, "RUSHLIGHT_NUM_THREADS": str(threads)}
        run = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
        found.add(run.stdout)
    assert len(found) == 1
