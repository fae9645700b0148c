"""Programs around training against PyTorch: live, and its committed results (tests/programs.json)."""

import json

import programs
import pytest
from test_nn_golden import check

import rushlight

GOLDEN = json.loads(programs.GOLDEN.read_text())
# Relative and absolute; other than 1e-5 where the computation says why.
# bfloat16; chaotic in its last digits; powers of beta in float32
TOLERANCE = {"muon": 0.02, "lbfgs": 1e-4, "gradient_of_the_rate": 3e-5}
NAMES = list(programs.collect())


def tolerance(name):
    return TOLERANCE.get(name.split(" ")[0], 1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_golden(name):
    check(programs.run(rushlight, name), GOLDEN[name], tolerance(name), name)


@pytest.mark.parametrize("name", NAMES)
def test_live(name):
    torch = pytest.importorskip("torch")
    check(programs.run(rushlight, name), programs.run(torch, name), tolerance(name), name)
