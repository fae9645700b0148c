"""examples/gpt.py: its loss falls as PyTorch's does from the same seed.

python tests/test_gpt.py    needs torch==2.13.0; writes tests/gpt.json
"""

import codecs
import contextlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "gpt.py"
GOLDEN = Path(__file__).parent / "gpt.json"


def load(library: str) -> dict:
    """The example's names, with rushlight or torch under it."""
    source = EXAMPLE.read_text().replace("import rushlight as torch", f"import {library} as torch")
    names = {"__name__": "gpt"}
    exec(compile(re.sub(r"^from rushlight\b", f"from {library}", source, flags=re.MULTILINE), str(EXAMPLE), "exec"), names)
    return names


def poem() -> str:
    """A text that is the same in every Python: its Zen."""
    with contextlib.redirect_stdout(io.StringIO()):
        import this
    return codecs.decode(this.s, "rot13")


def losses(library: str, steps: int, tied: bool = False) -> list[float]:
    """Four layers, 32 wide, four heads."""
    example = load(library)
    torch = example["torch"]
    torch.manual_seed(0)
    text = example["Text"](poem())
    net = example["GPT"](len(text.characters), 32, width=32, tied=tied)
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
    return list(example["train"](net, text, optimizer, steps, batch=4))


@pytest.mark.parametrize(("tied", "steps"), [(False, 100), (True, 20)])
def test_curve_is_that_of_pytorch(tied, steps):
    pytest.importorskip("torch")
    pytest.importorskip("tqdm")
    got, want = losses("rushlight", steps, tied), losses("torch", steps, tied)
    assert max(abs(a - b) for a, b in zip(got, want, strict=True)) < 1e-3
    assert sum(got[-5:]) < 0.9 * sum(got[:5])


def test_curve_without_pytorch():
    """The first steps of PyTorch's curve, committed."""
    pytest.importorskip("tqdm")
    want = json.loads(GOLDEN.read_text())["losses"]
    assert losses("rushlight", len(want)) == pytest.approx(want, abs=1e-3)


def test_it_runs(tmp_path):
    """Trains, shows the loss, writes a text."""
    pytest.importorskip("tqdm")
    command = [sys.executable, EXAMPLE, "--steps", "5", "--batch", "2", "--context", "16", "--length", "20", "--tied"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, _, text = done.stdout.partition("\n\n")
    assert re.fullmatch(r"loss \d+\.\d{3}", first)
    assert text.startswith("The ") and len(text) == 4 + 20 + 1


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({"torch": "2.13.0", "losses": losses("torch", 30)}, indent=1) + "\n")
