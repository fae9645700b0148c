"""Ten tiny programs take no more instructions in the extension than benchmarks/instructions.json says."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("needs the source tree", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from benchmarks import instructions

MORE = 0.05  # compilers of other versions differ by a few per cent


def test_counts_do_not_grow():
    if instructions.why_not():
        pytest.skip(instructions.why_not())
    if platform.machine() != "x86_64":
        pytest.skip("the saved counts are those of x86-64")
    if any(os.environ.get(f"RUSHLIGHT_{name}") for name in ("DEBUG", "SANITIZE", "COVERAGE")):
        pytest.skip("the saved counts are those of a plain build")
    saved, now = json.loads(instructions.BASELINE.read_text()), instructions.count()
    grown = {name: (saved[name], n) for name, n in now.items() if n > saved[name] * (1 + MORE)}
    assert not grown, (
        f"more instructions per call than saved (saved, now): {grown}; if that is meant to be, "
        "benchmarks/instructions.py --save and say why in the commit"
    )
    assert set(saved) == set(now)


def test_costs_are_added_up():
    """Self costs of the extension's objects, not those of what it calls."""
    profile = """\
ob=(1) /lib/libpython.so
fn=(1) eval
10 100
cob=(2) /x/_C.cpython-311.so
cfn=(2)
calls=3 20
10 50
ob=(2)
fn=(2) add
20 7
+2 3
cob=(1)
calls=1 10
* 900
- 5
"""
    assert instructions.extension_cost(profile) == 7 + 3 + 5
