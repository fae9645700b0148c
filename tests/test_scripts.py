"""Programs as tutorials write them (tests/scripts), unchanged in both libraries: they print the same text.

Numbers may differ by one unit in their last printed place or by TOLERANCE, since sums differ in the last bits and
training carries that on.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))
TOLERANCE = 1e-4  # relative
# Names of nodes are in docs/differences.md; addresses are nobody's business.
IGNORED = re.compile(r"grad_fn=<\w+>|0x[0-9a-f]+")
NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?")
ENVIRONMENT = os.environ | {
    "OMP_NUM_THREADS": "1",
    "RUSHLIGHT_NUM_THREADS": "1",
    "TORCHDYNAMO_DISABLE": "1",  # torch.compile() without a compiler
}
# All programs in one process: importing PyTorch takes longer than running them.
ALL = """
import contextlib, io, json, runpy, sys
printed = {}
for path in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as text:
        runpy.run_path(path, run_name="__main__")
    printed[path] = text.getvalue()
print(json.dumps(printed))
"""


def run(*command: object) -> str:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", *map(str, command)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    pytest.importorskip("torch")
    return json.loads(run("-c", ALL, *SCRIPTS).splitlines()[-1])


def close(ours: str, theirs: str) -> bool:
    """Whether two printed numbers agree; integers must be equal."""
    if ours == theirs:
        return True
    if "." not in theirs and "e" not in theirs:
        return False
    mantissa, _, exponent = theirs.partition("e")
    places = len(mantissa.partition(".")[2])
    last = 1.01 * 10.0 ** (int(exponent or 0) - places)
    x, y = float(ours), float(theirs)
    return abs(x - y) <= max(last, TOLERANCE * max(abs(x), abs(y)), 1e-6)


def parts(line: str) -> tuple[list[str], list[str]]:
    """The words and the numbers of a line; how numbers are padded depends on their digits."""
    line = IGNORED.sub("", line)
    return NUMBER.sub("#", line).split(), NUMBER.findall(line)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_prints_the_same(script, expected):
    ours, theirs = run("-m", "rushlight", script).splitlines(), expected[str(script)].splitlines()
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=False), 1):
        words, numbers = parts(mine)
        wanted, exact = parts(other)
        assert words == wanted, f"line {number}: {mine!r} instead of {other!r}"
        assert len(numbers) == len(exact) and all(map(close, numbers, exact)), (
            f"line {number}: {mine!r} instead of {other!r}"
        )
    assert len(ours) == len(theirs)
