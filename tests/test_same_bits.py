"""The same program gives the same bytes on every instruction set and with any number of threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "train_bytes.py"


def train(isa: str, threads: int) -> str:
    environment = os.environ | {"RUSHLIGHT_ISA": isa, "RUSHLIGHT_NUM_THREADS": str(threads)}
    result = subprocess.run([sys.executable, str(SCRIPT)], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def expected() -> str:
    return train("portable", 1)


def available() -> list[str]:
    """The instruction sets that this machine has."""
    names = []
    for isa in ("portable", "avx2", "avx512", "neon"):
        probe = subprocess.run(
            [sys.executable, "-c", "import rushlight"], env=os.environ | {"RUSHLIGHT_ISA": isa}, capture_output=True
        )
        if probe.returncode == 0:
            names.append(isa)
    return names


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("isa", available())
def test_bytes(isa, threads, expected):
    """Trained parameters, byte for byte."""
    if (isa, threads) != ("portable", 1):
        assert train(isa, threads) == expected


def test_unknown_instruction_set_is_an_error():
    """A name that does not exist fails at import and says so."""
    probe = subprocess.run(
        [sys.executable, "-c", "import rushlight"],
        env=os.environ | {"RUSHLIGHT_ISA": "avx1024"},
        capture_output=True,
        text=True,
    )
    assert probe.returncode == 1
    assert "avx1024" in probe.stderr
