"""What surrounds training against PyTorch: live, and its committed results (tests/training.json)."""

import json

import pytest
import training_cases
from test_nn_golden import check

import rushlight

GOLDEN = json.loads(training_cases.GOLDEN.read_text())
# Relative and absolute; other than 1e-5 where the computation says why.
TOLERANCE = {"muon": 0.02, "lbfgs": 1e-4}  # bfloat16; chaotic in its last digits
NAMES = list(training_cases.CASES)


def tolerance(name):
    return TOLERANCE.get(name.split(" ")[0], 1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_golden(name):
    check(training_cases.run(rushlight, name), GOLDEN[name], tolerance(name), name)


@pytest.mark.parametrize("name", NAMES)
def test_live(name):
    torch = pytest.importorskip("torch")
    check(training_cases.run(rushlight, name), training_cases.run(torch, name), tolerance(name), name)
