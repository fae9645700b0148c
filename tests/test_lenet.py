"""LeNet learns, and its losses are PyTorch's.

python tests/test_lenet.py    needs torch==2.13.0; writes the first losses to tests/lenet.json
"""

import json
import re
import sys
import types
from pathlib import Path

import pytest
from test_examples import EXAMPLES, png_size, run, with_torch

GOLDEN = Path(__file__).with_name("lenet.json")
STEPS = 100


@pytest.fixture(autouse=True)
def _modules():
    for name in ("sklearn", "tqdm", "matplotlib"):
        pytest.importorskip(name)


def program(in_torch: bool) -> types.ModuleType:
    """The example as a module, with PyTorch in rushlight's place or not."""
    source = (EXAMPLES / "lenet.py").read_text()
    name = f"lenet_{in_torch}"
    module = types.ModuleType(name)
    exec(compile(with_torch(source) if in_torch else source, name, "exec"), module.__dict__)
    return module


def curve(in_torch: bool, steps: int) -> list[float]:
    """The losses of the first steps of the example's training."""
    lenet = program(in_torch)
    torch = lenet.torch
    torch.manual_seed(0)
    training, _ = lenet.load()
    loader = lenet.DataLoader(training, batch_size=32, shuffle=True, drop_last=True)
    net = lenet.LeNet()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    losses = []
    while len(losses) < steps:
        losses += lenet.train(net, loader, optimizer, steps - len(losses))
    return losses


def test_curve_is_pytorchs():
    pytest.importorskip("torch", reason="PyTorch is not installed: torch==2.13.0")
    mine, theirs = curve(False, STEPS), curve(True, STEPS)
    assert mine == pytest.approx(theirs, abs=1e-3)
    assert sum(mine[-10:]) < 0.6 * sum(mine[:10])


def test_first_losses():
    """The same without PyTorch: the first losses as committed."""
    want = json.loads(GOLDEN.read_text())["losses"]
    assert curve(False, len(want)) == pytest.approx(want, abs=1e-4)


def test_example(tmp_path):
    printed = run(EXAMPLES / "lenet.py", cwd=tmp_path)
    assert float(re.search(r"test accuracy ([\d.]+)%", printed)[1]) >= 97
    width, height = png_size((tmp_path / "lenet.png").read_bytes())
    assert width > 500 and height > 200


def make_golden() -> None:
    import torch

    if not torch.__version__.startswith("2.13.0"):
        raise SystemExit(f"golden values come from PyTorch 2.13.0, this is {torch.__version__}")
    GOLDEN.write_text(json.dumps({"torch": "2.13.0", "losses": curve(True, 20)}) + "\n")


if __name__ == "__main__":
    sys.exit(make_golden())
