"""save and load: what comes back, what is refused, and files that go to PyTorch and come from it."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict

import pytest

import rushlight
from rushlight import nn


def round_trip(obj, **options):
    buffer = io.BytesIO()
    rushlight.save(obj, buffer)
    buffer.seek(0)
    return rushlight.load(buffer, **options)


def sample(ns):
    """Every kind of thing that a checkpoint holds, made with library ns."""
    base = ns.arange(12.0)
    model = ns.nn.Sequential(ns.nn.Linear(3, 4), ns.nn.ReLU(), ns.nn.Linear(4, 2))
    model[0].register_buffer("count", ns.tensor(3))
    optimizer = ns.optim.Adam(model.parameters(), lr=0.1)
    model(ns.ones(2, 3)).sum().backward()
    optimizer.step()
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "base": base,
        "view": base[2:5],
        "transposed": ns.arange(6).reshape(2, 3).t(),
        "bfloat16": ns.tensor([1.5, -2.0]).bfloat16(),
        "half": ns.tensor([1.5, -2.0]).half(),
        "bool": ns.tensor([True, False]),
        "bytes": ns.tensor([1, 255], dtype=ns.uint8),
        "empty": ns.empty(0, 3),
        "scalar": ns.tensor(2.5, dtype=ns.float64),
        "parameter": ns.nn.Parameter(ns.ones(2)),
        "size": ns.Size([2, 3]),
        "dtype": ns.float16,
        "plain": [1, (2, 3.5), "text", None, {"a": 1}, {1, 2}, b"bytes"],
        "ordered": OrderedDict(a=1),
    }


def same(a, b):
    """Equal in content, whatever library they belong to."""
    if hasattr(a, "detach"):
        assert str(a.dtype) == str(b.dtype)
        assert tuple(a.shape) == tuple(b.shape)
        assert a.stride() == b.stride()
        assert a.requires_grad == b.requires_grad
        assert a.tolist() == b.tolist()
        assert type(a).__name__ == type(b).__name__
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif type(a).__name__ == "dtype":
        assert str(a) == str(b)
    else:
        assert a == b


def test_everything_comes_back():
    saved = sample(rushlight)
    loaded = round_trip(saved)
    same(loaded, saved)
    loaded["base"][2] = 99
    assert loaded["view"][0].item() == 99, "tensors that shared memory share it again"


@pytest.mark.parametrize("mmap", [False, True])
def test_paths(tmp_path, mmap):
    path = tmp_path / "model.pt"
    saved = sample(rushlight)
    rushlight.save(saved, path)
    same(rushlight.load(str(path), mmap=mmap), saved)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {"model/data.pkl", "model/version", "model/byteorder", "model/data/0"} <= set(archive.namelist())
        for info in archive.infolist():
            head = path.read_bytes()[info.header_offset + 26 : info.header_offset + 30]
            start = info.header_offset + 30 + int.from_bytes(head[:2], "little") + int.from_bytes(head[2:], "little")
            assert start % 64 == 0, "records begin at multiples of 64"


def test_writing_to_mapped_memory_leaves_the_file_alone(tmp_path):
    path = tmp_path / "x.pt"
    rushlight.save(rushlight.zeros(4), path)
    before = path.read_bytes()
    rushlight.load(path, mmap=True).fill_(7)
    assert path.read_bytes() == before


def test_tied_weights_stay_tied():
    model = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    model[1].weight = model[0].weight
    loaded = round_trip(model.state_dict())
    assert loaded["0.weight"].data_ptr() == loaded["1.weight"].data_ptr()


class Stranger:
    def __init__(self):
        self.x = 1


def test_only_what_is_allowed():
    with pytest.raises(pickle.UnpicklingError, match="Stranger was not an allowed global"):
        round_trip(Stranger())
    assert round_trip(Stranger(), weights_only=False).x == 1
    with rushlight.serialization.safe_globals([Stranger]):
        assert round_trip(Stranger()).x == 1
    assert rushlight.serialization.get_safe_globals() == []


def test_a_file_that_runs_code_is_refused():
    class Evil:
        def __reduce__(self):
            return (print, ("ran",))

    with pytest.raises(pickle.UnpicklingError, match="print was not an allowed global"):
        round_trip(Evil())


def test_whole_modules():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    with pytest.raises(pickle.UnpicklingError):
        round_trip(model)
    loaded = round_trip(model, weights_only=False)
    x = rushlight.ones(2, 3)
    assert rushlight.equal(loaded(x), model(x))


def test_other_devices_and_bad_files(tmp_path):
    with pytest.raises(RuntimeError, match="is_available"):
        round_trip(rushlight.ones(2), map_location="cuda")
    assert round_trip(rushlight.ones(2), map_location=rushlight.device("cpu")).sum() == 2
    assert round_trip(rushlight.ones(2), map_location=lambda storage, location: storage).sum() == 2
    with pytest.raises(pickle.UnpicklingError, match="not a zip archive"):
        rushlight.load(io.BytesIO(b"no such thing at all"))
    with pytest.raises(EOFError):
        rushlight.load(io.BytesIO(b""))
    with pytest.raises(FileNotFoundError):
        rushlight.load(tmp_path / "absent.pt")
    with pytest.raises(RuntimeError, match="Parent directory"):
        rushlight.save(1, tmp_path / "no" / "x.pt")
    with pytest.raises(AttributeError, match="write"):
        rushlight.save(1, 3)
    with pytest.raises(ValueError, match="mmap"):
        rushlight.load(io.BytesIO(), mmap=True)
    with pytest.raises(RuntimeError, match="different types"):
        x = rushlight.ones(2)
        round_trip([x, x.view(rushlight.int32)])


def test_a_storage_shorter_than_it_says(tmp_path):
    path = tmp_path / "x.pt"
    rushlight.save(rushlight.ones(100), path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "y.pt", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name)[:8] if "/data/" in name else old.read(name))
    with pytest.raises(RuntimeError, match="bytes"):
        rushlight.load(tmp_path / "y.pt")


class TestWithPyTorch:
    @pytest.fixture(autouse=True)
    def _torch(self):
        self.torch = pytest.importorskip("torch")

    @pytest.mark.parametrize("mmap", [False, True])
    def test_written_here(self, tmp_path, mmap):
        saved = sample(rushlight)
        rushlight.save(saved, tmp_path / "x.pt")
        loaded = self.torch.load(tmp_path / "x.pt", weights_only=True, mmap=mmap)
        same(loaded, saved)
        loaded["base"][2] = 99
        assert loaded["view"][0].item() == 99
        model = self.torch.nn.Sequential(self.torch.nn.Linear(3, 4), self.torch.nn.ReLU(), self.torch.nn.Linear(4, 2))
        model[0].register_buffer("count", self.torch.tensor(0))
        model.load_state_dict(loaded["model"])
        self.torch.optim.Adam(model.parameters()).load_state_dict(loaded["optimizer"])

    @pytest.mark.parametrize("mmap", [False, True])
    def test_written_by_pytorch(self, tmp_path, mmap):
        saved = sample(self.torch)
        self.torch.save(saved, tmp_path / "x.pt")
        loaded = rushlight.load(tmp_path / "x.pt", mmap=mmap)
        same(loaded, saved)
        loaded["base"][2] = 99
        assert loaded["view"][0].item() == 99

    def test_legacy_format_is_named(self):
        buffer = io.BytesIO()
        self.torch.save(self.torch.ones(2), buffer, _use_new_zipfile_serialization=False)
        buffer.seek(0)
        with pytest.raises(RuntimeError, match=r"before PyTorch 1\.6"):
            rushlight.load(buffer)
