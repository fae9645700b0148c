"""examples/lstm_text.py: its loss falls as PyTorch's does from the same seed, dropout included.

python tests/test_lstm_text.py    needs torch==2.13.0; writes tests/lstm_text.json
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

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "lstm_text.py"
GOLDEN = Path(__file__).parent / "lstm_text.json"


def load(library: str) -> dict:
    """The example's names, with rushlight or torch under it."""
    source = EXAMPLE.read_text().replace("import rushlight as torch", f"import {library} as torch")
    source = re.sub(r"^from rushlight\b", f"from {library}", source, flags=re.MULTILINE)
    names = {"__name__": "lstm_text"}
    exec(compile(source, str(EXAMPLE), "exec"), names)
    return names


def poem() -> str:
    """A text that is the same in every Python: its Zen."""
    with contextlib.redirect_stdout(io.StringIO()):
        import this
    return codecs.decode(this.s, "rot13")


def losses(library: str, steps: int, text: str, size: int) -> list[float]:
    """Two layers of 32, with dropout and clipped gradients."""
    example = load(library)
    torch = example["torch"]
    torch.manual_seed(0)
    words = example["Words"](text, size)
    net = example["Model"](len(words.words), 16, 32)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    return list(example["train"](net, words.columns(4), optimizer, steps, 8))


def test_curve_is_that_of_pytorch():
    """100 steps on real text, three times through it."""
    pytest.importorskip("torch")
    pytest.importorskip("tqdm")
    from pydoc_data.topics import topics

    text = "\n".join(topics.values())[:6000]
    got, want = (losses(library, 100, text, 200) for library in ("rushlight", "torch"))
    assert max(abs(a - b) for a, b in zip(got, want, strict=True)) < 1e-3
    assert sum(got[-5:]) < 0.85 * sum(got[:5])


def test_curve_without_pytorch():
    """The first steps of PyTorch's curve, committed."""
    pytest.importorskip("tqdm")
    want = json.loads(GOLDEN.read_text())["losses"]
    assert losses("rushlight", len(want), poem(), 60) == pytest.approx(want, abs=1e-3)


def test_it_runs(tmp_path):
    """Trains, shows the loss, writes a text."""
    pytest.importorskip("tqdm")
    command = [sys.executable, EXAMPLE, "--steps", "3", "--batch", "2", "--length", "5", "--layers", "1"]
    done = subprocess.run(
        [*command, "--words", "50", "--hidden", "8", "--write", "9"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, _, text = done.stdout.partition("\n\n")
    assert re.fullmatch(r"loss \d+\.\d{3}, perplexity \d+", first)
    assert text.startswith("The") and "<unknown>" not in text
    assert "3/3" in done.stderr


if __name__ == "__main__":
    curve = losses("torch", 30, poem(), 60)
    GOLDEN.write_text(json.dumps({"torch": "2.13.0", "losses": curve}, indent=1) + "\n")
