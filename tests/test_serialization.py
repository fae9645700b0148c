"""save and load: what comes back, what is refused, and files that go to PyTorch and come from it."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict

import pytest

import rushlight
from rushlight._torch_names import torch_name
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
    elif type(a).__name__ in ("dtype", "layout", "device"):
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


def test_a_damaged_archive():
    buffer = io.BytesIO()
    rushlight.save(rushlight.ones(3), buffer)
    with pytest.raises(RuntimeError, match="failed reading zip archive"):
        rushlight.load(io.BytesIO(buffer.getvalue()[:-10]))


def test_what_is_no_file():
    with pytest.raises(AttributeError, match="'int' object has no attribute 'seek'"):
        rushlight.load(3)
    with pytest.raises(TypeError, match="binary"):
        rushlight.load(io.StringIO("text"))
    with pytest.raises(RuntimeError, match="don't know how to restore data location"):
        round_trip(rushlight.ones(2), map_location="nonsense")


class TestAllowList:
    def test_names(self):
        class Inner:
            pass

        serialization = rushlight.serialization
        buffer = io.BytesIO()
        rushlight.save([Stranger(), rushlight.ones(2), OrderedDict(), rushlight.float32], buffer)
        name = f"{Stranger.__module__}.Stranger"
        assert serialization.get_unsafe_globals_in_checkpoint(buffer) == [name]
        serialization.add_safe_globals([Stranger, (Inner, "elsewhere.Name")])
        assert serialization.get_safe_globals() == [Stranger, (Inner, "elsewhere.Name")]
        try:
            assert serialization.get_unsafe_globals_in_checkpoint(buffer) == []
            buffer.seek(0)
            assert rushlight.load(buffer)[0].x == 1
        finally:
            serialization.clear_safe_globals()
        assert serialization.get_safe_globals() == []
        buffer.seek(0)
        with pytest.raises(pickle.UnpicklingError, match="not an allowed global"):
            rushlight.load(buffer)
        with pytest.raises(ValueError, match="Expected input to be a checkpoint"):
            serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(b"nothing"))

    def test_a_name_of_the_user_s_own(self):
        with rushlight.serialization.safe_globals([(OrderedDict, f"{Stranger.__module__}.Stranger")]):
            buffer = io.BytesIO()
            rushlight.save(Stranger, buffer)
            buffer.seek(0)
            assert rushlight.load(buffer) is OrderedDict

    def test_numpy_when_allowed(self):
        numpy = pytest.importorskip("numpy")
        array = numpy.arange(3.0)
        with pytest.raises(pickle.UnpicklingError, match="not an allowed global"):
            round_trip(array)
        names = rushlight.serialization.get_unsafe_globals_in_checkpoint(saved_to_buffer(array))
        assert len(names) >= 2
        allowed = [numpy.ndarray, numpy.dtype, type(array.dtype), numpy._core.multiarray._reconstruct]
        with rushlight.serialization.safe_globals(allowed):
            assert round_trip(array).tolist() == [0, 1, 2]
        assert round_trip(array, weights_only=False).tolist() == [0, 1, 2]


def saved_to_buffer(obj):
    buffer = io.BytesIO()
    rushlight.save(obj, buffer)
    buffer.seek(0)
    return buffer


def test_options(tmp_path):
    import mmap

    serialization = rushlight.serialization
    path = tmp_path / "x.pt"
    rushlight.save(rushlight.zeros(4), path)
    with serialization.set_default_mmap_options(mmap.MAP_SHARED):
        assert serialization.get_default_mmap_options() == mmap.MAP_SHARED
        rushlight.load(path, mmap=True).fill_(7)
    assert serialization.get_default_mmap_options() == mmap.MAP_PRIVATE
    assert rushlight.load(path).tolist() == [7] * 4, "shared: written back"
    with pytest.raises(ValueError, match="mmap"):
        serialization.set_default_mmap_options(77)
    assert serialization.get_crc32_options() is True
    assert serialization.get_default_load_endianness() is None
    with pytest.raises(TypeError):
        serialization.set_default_load_endianness(1)


def other_byte_order(source, target, mark=True):
    """The file with storages and mark of the other byte order: float32, complex64 and int16."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if "/data/" in name:
                width = {"0": 4, "1": 4, "2": 2}[name.rsplit("/", 1)[1]]
                data = b"".join(data[i : i + width][::-1] for i in range(0, len(data), width))
            if name.endswith("byteorder"):
                data = b"big"
            if mark or not name.endswith("byteorder"):
                new.writestr(name, data)


def test_other_byte_order(tmp_path):
    saved = [
        rushlight.tensor([1.5, -2.0]),
        rushlight.tensor([1 + 2j, 3 - 1j]),
        rushlight.tensor([1, 256], dtype=rushlight.int16),
    ]
    rushlight.save(saved, tmp_path / "x.pt")
    other_byte_order(tmp_path / "x.pt", tmp_path / "y.pt")
    same(rushlight.load(tmp_path / "y.pt"), saved)
    with pytest.raises(ValueError, match="byte order"):
        rushlight.load(tmp_path / "y.pt", mmap=True)
    other_byte_order(tmp_path / "x.pt", tmp_path / "z.pt", mark=False)
    serialization = rushlight.serialization
    try:
        serialization.set_default_load_endianness(serialization.LoadEndianness.BIG)
        same(rushlight.load(tmp_path / "z.pt"), saved)
    finally:
        serialization.set_default_load_endianness(None)


def test_storages_and_files(tmp_path):
    path = tmp_path / "raw"
    path.write_bytes(bytes(range(8)))
    storage = rushlight.UntypedStorage.from_file(str(path), False, 8)
    assert storage.tolist() == list(range(8)) and storage[2:4].tolist() == [2, 3] and storage[-1] == 7
    with pytest.raises(RuntimeError, match="step of 2"):
        storage[::2]
    with pytest.raises(IndexError):
        storage[8]
    part = rushlight.asarray(storage[4:8], dtype=rushlight.uint8)
    del storage
    assert part.tolist() == [4, 5, 6, 7]
    part.fill_(9)
    assert path.read_bytes() == bytes(range(8))
    shared = rushlight.UntypedStorage.from_file(path, shared=True, nbytes=16)
    rushlight.asarray(shared, dtype=rushlight.uint8).fill_(1)
    assert path.read_bytes() == b"\1" * 16
    with pytest.raises(RuntimeError, match="shorter"):
        rushlight.UntypedStorage.from_file(path, False, 17)


def test_numpy_files(tmp_path):
    numpy = pytest.importorskip("numpy")
    x = rushlight.arange(6.0).reshape(2, 3).t()
    numpy.save(tmp_path / "x.npy", x)
    numpy.savez(tmp_path / "x.npz", a=x, b=rushlight.tensor([True]))
    same(rushlight.from_numpy(numpy.load(tmp_path / "x.npy")), x)
    assert rushlight.from_numpy(numpy.load(tmp_path / "x.npz")["b"]).tolist() == [True]


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

    @pytest.mark.parametrize("mmap", [False, True])
    @pytest.mark.parametrize("direction", ["out", "in"])
    def test_models(self, tmp_path, direction, mmap):
        """Shared weights, buffers, the optimizer's state, bfloat16, empty and non-contiguous tensors."""
        writer, reader = (rushlight, self.torch) if direction == "out" else (self.torch, rushlight)
        saved = training_state(writer)
        writer.save(saved, tmp_path / "x.pt")
        loaded = reader.load(tmp_path / "x.pt", mmap=mmap, map_location="cpu", weights_only=True)
        same(loaded, saved)
        state = loaded["model"]
        assert state["embed.weight"].data_ptr() == state["out.weight"].data_ptr()
        loaded["views"][0].fill_(5)
        assert loaded["views"][1].tolist() == [[5.0, 5.0]] * 2
        model, optimizer = language_model(reader)
        model.load_state_dict(state)
        optimizer.load_state_dict(loaded["optimizer"])
        expected = train_once(*resumed(writer, saved))
        assert train_once(model, optimizer) == pytest.approx(expected, rel=1e-5)

    @pytest.mark.parametrize("direction", ["out", "in"])
    def test_whole_objects(self, direction):
        """Modules and optimizers themselves, with weights_only=False."""
        writer, reader = (rushlight, self.torch) if direction == "out" else (self.torch, rushlight)
        n = writer.nn
        model = n.Sequential(n.Conv2d(1, 2, 3), n.BatchNorm2d(2), n.Flatten(), n.Dropout(), n.Linear(8, 2)).eval()
        optimizer = writer.optim.Adam(model.parameters())
        model(writer.ones(1, 1, 4, 4)).sum().backward()
        optimizer.step()
        buffer = io.BytesIO()
        writer.save([model, optimizer], buffer)
        buffer.seek(0)
        got, got_optimizer = reader.load(buffer, weights_only=False)
        assert repr(got) == repr(model) and repr(got_optimizer) == repr(optimizer)
        x = [[[[0.5] * 4] * 4]]
        got_y, y = got(reader.tensor(x)).tolist()[0], model(writer.tensor(x)).tolist()[0]
        assert got_y == pytest.approx(y, rel=1e-5)
        got(reader.ones(1, 1, 4, 4)).sum().backward()
        got_optimizer.step()
        others = [n.DataParallel(n.MultiheadAttention(4, 2)), n.TripletMarginLoss(), n.CTCLoss()]
        others += [writer.optim.Muon([n.Parameter(writer.ones(2, 2))]), writer.optim.Adafactor(model.parameters())]
        buffer = io.BytesIO()
        writer.save(others, buffer)
        buffer.seek(0)
        assert repr(reader.load(buffer, weights_only=False)) == repr(others)

    def test_classes_have_pytorch_s_names(self):
        """What a pickled module or optimizer is called in a file."""
        named = torch_name
        wrong = {}
        for space in ("nn", "optim", "optim.lr_scheduler", "optim.swa_utils", "nn.utils.parametrize"):
            theirs, ours = self.torch, rushlight
            for part in space.split("."):
                theirs, ours = getattr(theirs, part), getattr(ours, part)
            for name in dir(theirs):
                cls = getattr(theirs, name)
                if isinstance(cls, type) and cls.__module__.startswith("torch.") and hasattr(ours, name):
                    home = named(getattr(ours, name).__module__, name)
                    if home != cls.__module__:
                        wrong[f"{space}.{name}"] = (home, cls.__module__)
        assert wrong == {}

    def test_without_check_sums(self):
        options = self.torch.serialization
        buffer = io.BytesIO()
        options.set_crc32_options(False)
        try:
            self.torch.save(self.torch.ones(2), buffer)
        finally:
            options.set_crc32_options(True)
        buffer.seek(0)
        assert rushlight.load(buffer).tolist() == [1, 1]

    def test_map_location(self):
        for given in ("cpu", {"cpu": "cpu"}, {"cuda:0": "cpu"}, lambda storage, location: storage):
            buffer = io.BytesIO()
            self.torch.save(self.torch.ones(2), buffer)
            buffer.seek(0)
            assert rushlight.load(buffer, map_location=given).tolist() == [1, 1]

    @pytest.mark.parametrize(
        ("make", "kind"),
        [
            (lambda t: t.ones(2, dtype=t.uint16), "dtype"),
            (lambda t: t.ones(2).to_sparse(), "sparse"),
            (lambda t: t.ones(2, device="meta"), "meta device"),
            (lambda t: t.ones(2).untyped_storage(), "bare storage"),
        ],
    )
    def test_what_is_not_here_is_named(self, make, kind):
        buffer = io.BytesIO()
        self.torch.save(make(self.torch), buffer)
        buffer.seek(0)
        with pytest.raises(pickle.UnpicklingError, match=kind):
            rushlight.load(buffer)


def language_model(ns):
    """(model with tied weights, a buffer and a bfloat16 parameter, optimizer)"""
    n = ns.nn

    class Model(n.Module):
        def __init__(self):
            super().__init__()
            self.embed = n.Embedding(5, 3)
            self.norm = n.BatchNorm1d(3)
            self.out = n.Linear(3, 5, bias=False)
            self.out.weight = self.embed.weight
            self.scale = n.Parameter(ns.ones(3, dtype=ns.bfloat16))
            self.register_buffer("nothing", ns.empty(0, 3))
            self.register_buffer("counts", ns.arange(6).reshape(2, 3).t())

        def forward(self, x):
            return self.out(self.norm(self.embed(x)) * self.scale.float())

    ns.manual_seed(0)
    model = Model()
    return model, ns.optim.AdamW(model.parameters(), lr=0.1, amsgrad=True)


def train_once(model, optimizer):
    """The loss before a step, and after."""
    losses = []
    for _ in range(2):
        optimizer.zero_grad()
        ids = model.counts.new_tensor([0, 1, 2, 3])
        loss = model(ids).square().sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def training_state(ns):
    model, optimizer = language_model(ns)
    train_once(model, optimizer)
    base = ns.arange(12.0).reshape(3, 4)
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "views": [base, base[::2, 1:3], base.t()],
        "epoch": 3,
        "layout": ns.strided,
        "device": ns.device("cpu"),
    }


def resumed(ns, saved):
    model, optimizer = language_model(ns)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    return model, optimizer


def test_damaged_files_raise():
    """Whatever happens to a file's bytes, loading gives objects or an exception."""
    import random

    draw = random.Random(0)
    whole = saved_to_buffer(sample(rushlight)).getvalue()
    for _ in range(150):
        data = bytearray(whole)
        start = data.index(b"data.pkl") if draw.random() < 0.8 else 0
        for _ in range(draw.randint(1, 3)):
            data[draw.randrange(start, min(start + 3000, len(data)))] = draw.randrange(256)
        try:
            repr(rushlight.load(io.BytesIO(bytes(data))))
        except Exception:  # noqa: BLE001, S110 - which one depends on the byte
            pass
