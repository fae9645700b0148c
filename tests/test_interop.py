"""Memory shared with NumPy, buffers and DLPack: both ways, with the right owner, and refused where it cannot be."""

import array
import gc
import io
import subprocess
import sys
import warnings
import weakref

import pytest

import rushlight

np = pytest.importorskip("numpy")

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")


def test_import_does_not_import_numpy():
    code = "import sys, rushlight; rushlight.tensor([1, 2]).tolist(); print('numpy' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        ).stdout
        == "False\n"
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_shares_memory(dtype):
    t = rushlight.tensor([[1, 0, 1], [0, 1, 1]]).to(getattr(rushlight, dtype))
    a = t.t().numpy()
    assert (
        a.dtype == dtype
        and a.shape == (3, 2)
        and a.strides == (t.element_size(), 3 * t.element_size())
    )
    assert a.tolist() == t.t().tolist()
    a[0, 1] = 1
    assert t[1, 0].item() == 1
    t[1, 2] = 0
    assert a[2, 1] == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_from_numpy_shares_memory(dtype):
    a = np.array([[1, 0, 1], [0, 1, 1]]).astype(dtype)
    t = rushlight.from_numpy(a[:, ::2])
    assert str(t.dtype) == f"torch.{dtype}" and t.shape == (2, 2) and t.stride() == (3, 2)
    a[0, 2] = 0
    assert t[0, 1].item() == 0
    t[1, 0] = 1
    assert a[1, 0] == 1
    assert rushlight.asarray(a).data_ptr() == rushlight.as_tensor(a).data_ptr() == a.ctypes.data
    assert rushlight.tensor(a).data_ptr() != a.ctypes.data


def test_owners_keep_each_other_alive():
    t = rushlight.arange(5.0)
    a = t.numpy()
    del t
    gc.collect()
    assert a.tolist() == [0, 1, 2, 3, 4]

    class Array(np.ndarray):
        """Arrays of a subclass can be weakly referenced."""

    a = np.arange(5.0).view(Array)
    gone = weakref.ref(a)
    t = rushlight.from_numpy(a)[1:3]
    del a
    gc.collect()
    assert gone() is not None and t.tolist() == [1, 2]
    del t
    gc.collect()
    assert gone() is None


def test_empty_and_zero_dim():
    assert rushlight.from_numpy(np.zeros((0, 3))).shape == (0, 3)
    assert rushlight.from_numpy(np.array(2.5)).item() == 2.5
    assert rushlight.tensor(2.5).numpy().shape == ()
    assert rushlight.empty(0, 3).numpy().shape == (0, 3)


def test_refusals():
    with pytest.raises(TypeError, match=r"expected np.ndarray \(got list\)"):
        rushlight.from_numpy([1])
    with pytest.raises(
        ValueError, match="At least one stride in the given numpy array is negative"
    ):
        rushlight.from_numpy(np.ones(3)[::-1])
    with pytest.raises(ValueError, match="byte order"):
        rushlight.from_numpy(np.ones(3, dtype=">f4"))
    with pytest.raises(ValueError, match="not a multiple of the element byte size"):
        rushlight.from_numpy(np.zeros(2, dtype=[("a", "u1"), ("b", "f4")])["b"])
    with pytest.raises(TypeError, match="can't convert np.ndarray of type numpy.object_"):
        rushlight.from_numpy(np.ones(3, dtype="O"))
    g = rushlight.ones(2, requires_grad=True)
    message = r"Can't call numpy\(\) on Tensor that requires grad. Use tensor.detach\(\).numpy\(\) instead."
    for take in (g.numpy, g.__array__, lambda: np.asarray(g)):
        with pytest.raises(RuntimeError, match=message):
            take()
    assert g.numpy(force=True).tolist() == g.detach().numpy().tolist() == [1, 1]
    with pytest.raises(TypeError, match="Got unsupported ScalarType BFloat16"):
        rushlight.ones(2).bfloat16().numpy()
    with pytest.raises(TypeError, match=r"numpy\(\) takes 0 positional arguments but 1 was given"):
        rushlight.ones(2).numpy(True)


def test_read_only_array_warns_once():
    code = """
import warnings, numpy as np, rushlight
a = np.frombuffer(b"abcd", dtype="u1")
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for _ in range(2):
        rushlight.from_numpy(a)
    rushlight.tensor(a)
print(len(seen), str(seen[0].message)[:41])
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.stdout == "1 The given NumPy array is not writable, an\n", result.stderr


def test_array_protocol():
    t = rushlight.arange(4.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.asarray(t).ctypes.data == t.data_ptr()
        assert np.array(t).ctypes.data != t.data_ptr()
        assert np.array(t, dtype="f8").dtype == "f8"
        assert np.stack([t, t]).shape == (2, 4)
        assert np.allclose(t, [0, 1, 2, 3])
        s = np.sin(t)
    assert isinstance(s, rushlight.Tensor) and s.tolist() == pytest.approx(
        np.sin(np.arange(4)).tolist(), rel=1e-6
    )
    assert t.__array__("f8").dtype == "f8"
    with pytest.raises(ValueError, match="Unable to avoid copy"):
        t.__array__("f8", copy=False)


def test_tolist():
    assert rushlight.tensor([[1, 2], [3, 4]]).t().tolist() == [[1, 3], [2, 4]]
    assert rushlight.tensor(3).tolist() == 3
    assert rushlight.empty(2, 0).tolist() == [[], []]
    assert rushlight.empty(0, 2).tolist() == []
    assert rushlight.tensor([True, False]).tolist() == [True, False]
    assert rushlight.tensor([1.5, 2.5]).half().tolist() == [1.5, 2.5]
    assert rushlight.tensor([0.1]).tolist() == [float(np.float32(0.1))]


# ---- the buffer protocol ----


@pytest.mark.parametrize("dtype", DTYPES)
def test_memoryview_shares_memory(dtype):
    t = rushlight.tensor([[1, 0, 1], [0, 1, 1]]).to(getattr(rushlight, dtype))
    view = memoryview(t)
    assert view.shape == (2, 3) and view.itemsize == t.element_size() and not view.readonly
    if dtype != "float16":  # memoryview itself cannot index halves
        assert view.tolist() == t.tolist()
    t[0, 0] = 0
    assert not any(view.tobytes()[: t.element_size()])
    assert bytes(t) == t.numpy().tobytes()
    assert memoryview(t.t()).strides == (t.element_size(), 3 * t.element_size())


def test_memoryview_keeps_the_memory():
    view = memoryview(rushlight.arange(1000))
    gc.collect()
    other = [rushlight.zeros(1000, dtype=rushlight.int64) for _ in range(4)]
    assert view.tolist() == list(range(1000)) and len(other) == 4


def test_buffer_refusals():
    with pytest.raises(BufferError, match="requires grad"):
        memoryview(rushlight.ones(2, requires_grad=True))
    with pytest.raises(BufferError, match="BFloat16"):
        memoryview(rushlight.ones(2).bfloat16())
    with pytest.raises(BufferError, match="contiguous"):
        io.BytesIO().write(rushlight.arange(4.0).reshape(2, 2).t())  # asks for a plain run of bytes


def test_frombuffer():
    data = bytearray(b"\x00\x00\x80?\x00\x00\x00@")
    t = rushlight.frombuffer(data, dtype=rushlight.float32)
    assert t.tolist() == [1, 2]
    t[0] = 3
    assert data[:4] == b"\x00\x00@@"
    with pytest.raises(BufferError):  # the tensor holds the buffer
        data.extend(b"1")
    del t
    data.extend(b"1")
    assert rushlight.frombuffer(data, dtype=rushlight.float32, count=1, offset=4).tolist() == [2]
    assert rushlight.frombuffer(array.array("d", [1.5]), dtype=rushlight.float64).tolist() == [1.5]
    grad = rushlight.frombuffer(
        array.array("f", [1.5]), dtype=rushlight.float32, requires_grad=True
    )
    assert grad.requires_grad


@pytest.mark.parametrize(
    ("buffer", "options", "message"),
    [
        (
            b"abcdefghi",
            {"dtype": "float32"},
            r"buffer length \(9 bytes\) after offset \(0 bytes\) must be a multiple",
        ),
        (b"", {"dtype": "uint8"}, r"both buffer length \(0\) and count \(-1\) must not be 0"),
        (
            b"abcd",
            {"dtype": "uint8", "count": 5},
            r"requested buffer length \(5 \* 1 bytes\) after offset",
        ),
        (
            b"abcd",
            {"dtype": "uint8", "offset": 4},
            r"offset \(4 bytes\) must be non-negative and no greater",
        ),
        (
            b"abcd",
            {"dtype": "uint8", "offset": -1},
            r"offset \(-1 bytes\) must be non-negative and no greater",
        ),
    ],
)
def test_frombuffer_refusals(buffer, options, message):
    options["dtype"] = getattr(rushlight, options["dtype"])
    with pytest.raises(ValueError, match=message):
        rushlight.frombuffer(bytearray(buffer), **options)


def test_asarray():
    t = rushlight.ones(2)
    assert rushlight.asarray(t) is t
    assert rushlight.asarray(t, copy=True) is not t
    assert rushlight.asarray([1, 2]).tolist() == [1, 2]
    assert rushlight.asarray(3).shape == ()
    assert rushlight.asarray(array.array("f", [1, 2])).tolist() == [1, 2]
    with pytest.raises(ValueError, match="can't alias arbitrary sequence into a tensor"):
        rushlight.asarray([1], copy=False)
    with pytest.raises(
        ValueError, match="can't alias tensor with dtype 'Double' into dtype 'Float'"
    ):
        rushlight.asarray(np.ones(2), dtype=rushlight.float32, copy=False)
    g = rushlight.ones(2, requires_grad=True)
    assert rushlight.asarray(g) is g and not rushlight.asarray(g, requires_grad=False).requires_grad
    assert rushlight.asarray([1.0], requires_grad=True).requires_grad


# ---- DLPack ----


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_with_numpy(dtype):
    t = rushlight.tensor([[1, 0, 1], [0, 1, 1]]).to(getattr(rushlight, dtype))
    a = np.from_dlpack(t.t())
    assert a.tolist() == t.t().tolist() and a.ctypes.data == t.data_ptr()
    b = np.array([[1, 0, 1], [0, 1, 1]]).astype(dtype)
    u = rushlight.from_dlpack(b.T)
    assert (
        u.tolist() == b.T.tolist()
        and u.data_ptr() == b.ctypes.data
        and str(u.dtype) == f"torch.{dtype}"
    )


def test_dlpack_capsules():
    t = rushlight.arange(3.0)
    assert t.__dlpack_device__() == (1, 0)
    capsule = t.__dlpack__()
    u = rushlight.from_dlpack(capsule)
    assert u.data_ptr() == t.data_ptr()
    with pytest.raises(RuntimeError, match="DLTensor capsules can be consumed only once"):
        rushlight.from_dlpack(capsule)
    assert "dltensor_versioned" in repr(t.__dlpack__(max_version=(1, 0)))
    assert (
        rushlight.from_dlpack(t.__dlpack__(max_version=(1, 0), copy=True)).data_ptr()
        != t.data_ptr()
    )
    with pytest.raises(BufferError, match="Can't export tensors that require gradient"):
        t.requires_grad_().__dlpack__()
    del t, capsule
    assert u.tolist() == [0, 1, 2]


def test_dlpack_releases_memory():
    before = rushlight._C._alloc_live()
    for _ in range(3):
        rushlight.ones(100).__dlpack__()
        rushlight.from_dlpack(rushlight.ones(100))
        memoryview(rushlight.ones(100)).release()
    assert rushlight._C._alloc_live() <= before + 2


def test_dlpack_with_torch():
    torch = pytest.importorskip("torch")
    t = rushlight.arange(6.0).reshape(2, 3)
    u = torch.from_dlpack(t)
    u[0, 1] = 7
    assert t[0, 1].item() == 7
    v = rushlight.from_dlpack(torch.ones(2, dtype=torch.bfloat16))
    assert v.dtype is rushlight.bfloat16 and v.tolist() == [1, 1]
