"""Modules and optimizers against PyTorch's committed results (tests/nn.json), without PyTorch."""

import json

import nn_cases
import pytest

import rushlight

GOLDEN = json.loads(nn_cases.GOLDEN.read_text())
# Relative and absolute, per kind; twenty optimizer steps carry their last digits along.
TOLERANCE = {"optimizer": 4e-5, "schedule": 1e-15}


def check(got, want, tol, where):
    """Equal, numbers to within tol."""
    if isinstance(want, float) or isinstance(got, float):
        assert got == pytest.approx(want, rel=tol, abs=tol, nan_ok=True), where
    elif isinstance(want, dict):
        assert list(got) == list(want), where
        for key, value in want.items():
            check(got[key], value, tol, f"{where}: {key}")
    elif isinstance(want, list):
        assert len(got) == len(want), where
        for i, value in enumerate(want):
            check(got[i], value, tol, f"{where}: {i}")
    else:
        assert got == want, where


@pytest.mark.parametrize(("kind", "i"), nn_cases.KEYS, ids=[f"{k}-{i}" for k, i in nn_cases.KEYS])
def test_golden(kind, i):
    want = GOLDEN[f"{kind} {i}"]
    check(nn_cases.run(rushlight, kind, i), want, TOLERANCE.get(kind, 2e-5), kind)
