"""The safetensors format: bytes that the package wrote, damaged files, and the package itself where it is installed."""

import json

import pytest

import rushlight
from rushlight.utils import safetensors

# safetensors 0.8.0: safetensors.torch.save(sample(torch), {"kind": "test"})
WRITTEN = bytes.fromhex(
    "38010000000000007b225f5f6d657461646174615f5f223a7b226b696e64223a2274657374227d2c2269223a7b226474797065223a22493634222c"
    "227368617065223a5b5d2c22646174615f6f666673657473223a5b302c385d7d2c2265223a7b226474797065223a22463332222c22736861706522"
    "3a5b302c325d2c22646174615f6f666673657473223a5b382c385d7d2c2277223a7b226474797065223a22463332222c227368617065223a5b332c"
    "315d2c22646174615f6f666673657473223a5b382c32305d7d2c2268223a7b226474797065223a2242463136222c227368617065223a5b325d2c22"
    "646174615f6f666673657473223a5b32302c32345d7d2c2262223a7b226474797065223a22424f4f4c222c227368617065223a5b335d2c22646174"
    "615f6f666673657473223a5b32342c32375d7d7d20202020200700000000000000000000000000803f00000040c03f00c0010001"
)


def sample(t):
    return {
        "w": t.arange(3.0).view(3, 1),
        "h": t.tensor([1.5, -2], dtype=t.bfloat16),
        "i": t.tensor(7),
        "b": t.tensor([True, False, True]),
        "e": t.empty(0, 2),
    }


def contents(tensors):
    return {k: (str(v.dtype), tuple(v.shape), v.tolist()) for k, v in sorted(tensors.items())}


def test_bytes():
    assert safetensors.save(sample(rushlight), {"kind": "test"}) == WRITTEN
    assert contents(safetensors.load(WRITTEN)) == contents(sample(rushlight))


def test_files(tmp_path):
    path = tmp_path / "x.safetensors"
    safetensors.save_file(sample(rushlight), path)
    loaded = safetensors.load_file(path)
    assert contents(loaded) == contents(sample(rushlight))
    before = path.read_bytes()
    loaded["w"].fill_(1)
    assert path.read_bytes() == before
    with pytest.raises(AssertionError, match="CUDA"):
        safetensors.load_file(path, device="cuda")
    with pytest.raises(FileNotFoundError):
        safetensors.load_file(tmp_path / "absent")


def test_views_are_written_as_they_are():
    x = rushlight.arange(12.0)
    assert safetensors.load(safetensors.save({"x": x[4:6]}))["x"].tolist() == [4, 5]


@pytest.mark.parametrize(
    ("tensors", "error", "match"),
    [
        (lambda: [rushlight.ones(1)], ValueError, "Expected a dict"),
        (lambda: {"x": 3}, ValueError, "Key `x` is invalid"),
        (lambda: {"x": rushlight.ones(2, 3).t()}, ValueError, "non contiguous tensor: `x`"),
        (lambda: dict.fromkeys("ab", rushlight.ones(2)), RuntimeError, "share memory"),
        (lambda: {"x": rushlight.ones(1, dtype=rushlight.complex128)}, ValueError, "complex128"),
    ],
)
def test_what_cannot_be_written(tensors, error, match):
    with pytest.raises(error, match=match):
        safetensors.save(tensors())


def made(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "0 bytes"),
        (b"\xff" * 8, "a header of"),
        (made(b"nonsense"), "header is damaged"),
        (made([1]), "header is damaged"),
        (made({"x": 1}), "header is damaged"),
        (made({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"1234"), "lies in bytes"),
        (made({"x": {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]}}, b"1234"), "lies in bytes"),
        (made({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"1234"), "behind the end"),
        (made({"x": {"dtype": "U16", "shape": [2], "data_offsets": [0, 4]}}, b"1234"), "dtype U16"),
        (WRITTEN[:-1], "behind the end"),
    ],
)
def test_damaged(data, match, tmp_path):
    with pytest.raises(ValueError, match=match):
        safetensors.load(data)
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(ValueError, match=match):
        safetensors.load_file(tmp_path / "x")


def test_unaligned():
    data = made({"x": {"dtype": "F32", "shape": [1], "data_offsets": [1, 5]}}, b"\0\0\0\x80?")
    assert safetensors.load(data)["x"].tolist() == [1.0]


def tied(t):
    t.manual_seed(0)
    model = t.nn.ModuleList([t.nn.Linear(2, 2), t.nn.Linear(2, 2)])
    model[1].weight = model[0].weight
    return model


def test_models(tmp_path):
    path = tmp_path / "x.safetensors"
    safetensors.save_model(tied(rushlight), path)
    assert sorted(safetensors.load_file(path)) == ["0.bias", "0.weight", "1.bias"]
    other = tied(rushlight)
    with rushlight.no_grad():
        other[0].weight.zero_()
    assert safetensors.load_model(other, path) == (set(), [])
    assert rushlight.equal(other[1].weight, tied(rushlight)[0].weight)
    with pytest.raises(RuntimeError, match="Missing key"):
        safetensors.load_model(rushlight.nn.Linear(2, 2), path)
    missing, unexpected = safetensors.load_model(rushlight.nn.Linear(2, 2), path, strict=False)
    assert missing == {"weight", "bias"} and sorted(unexpected) == ["0.bias", "0.weight", "1.bias"]


class TestWithThePackage:
    def test_both_ways(self, tmp_path):
        torch = pytest.importorskip("torch")
        package = pytest.importorskip("safetensors.torch")
        assert contents(package.load(safetensors.save(sample(rushlight)))) == contents(sample(torch))
        package.save_file(sample(torch), tmp_path / "x")
        assert contents(safetensors.load_file(tmp_path / "x")) == contents(sample(rushlight))
        package.save_model(tied(torch), tmp_path / "y")
        assert safetensors.load_model(tied(rushlight), tmp_path / "y") == (set(), [])
        safetensors.save_model(tied(rushlight), tmp_path / "z")
        assert package.load_model(tied(torch), tmp_path / "z") == (set(), [])

    def test_its_torch_module_runs_here(self, tmp_path):
        """safetensors.torch in a process where rushlight stands for torch."""
        import os
        import subprocess
        import sys

        pytest.importorskip("safetensors")
        (tmp_path / "script.py").write_text(
            "import torch\n"
            "from safetensors.torch import load, load_file, save, save_file\n"
            "d = {'a': torch.ones(2, 3), 'b': torch.ones(2, dtype=torch.bfloat16)}\n"
            "save_file(d, 'x'), load(save(d))\n"
            "assert load_file('x')['b'].tolist() == [1, 1] and '+rushlight' in torch.__version__\n"
        )
        command = [sys.executable, "-m", "rushlight", "script.py"]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, filter(None, sys.path)))}
        subprocess.run(command, cwd=tmp_path, check=True, timeout=60, env=env)
