"""The C core alone: builds librushlight without Python, then compiles and runs every program of tests/c and the C example.

With RUSHLIGHT_SANITIZE=1 in the environment everything is built and run under the address and undefined-behaviour
sanitizers (`make asan`).
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMPILER = shlex.split(os.environ.get("CC") or "cc")
SOURCES = sorted((ROOT / "tests/c").glob("test_*.c"))

pytestmark = [
    pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="needs the source tree"),
    pytest.mark.skipif(shutil.which(COMPILER[0]) is None, reason="needs a C compiler"),
]


@pytest.fixture(scope="session")
def library() -> Path:
    """build/librushlight.a, brought up to date."""
    pytest.importorskip("setuptools")
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_core"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(done.stdout.strip().splitlines()[-1])


def build(source: Path, library: Path, target: Path) -> None:
    """Compiles one program against the library."""
    flags = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Wno-unused-parameter"]
    if os.environ.get("RUSHLIGHT_SANITIZE"):
        flags += ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
    command = [*COMPILER, *flags, f"-I{ROOT}/csrc", f"-I{ROOT}/csrc/include", str(source),
               str(library), "-lm", "-pthread", "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


TIMEOUT = 900 if os.environ.get("RUSHLIGHT_SANITIZE") else 240  # s


@pytest.mark.timeout(2 * TIMEOUT)  # the first one builds the library
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_program(source: Path, library: Path, tmp_path: Path) -> None:
    """Exits with 0: no check failed, no block leaked, with every allocation made to fail in turn."""
    program = tmp_path / source.stem
    build(source, library, program)
    done = subprocess.run([program], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_example_learns(library: Path, tmp_path: Path) -> None:
    """examples/c/train_mlp.c: the loss falls and both spirals are told apart."""
    build(ROOT / "examples/c/train_mlp.c", library, tmp_path / "train_mlp")
    done = subprocess.run([tmp_path / "train_mlp"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    losses = [float(text) for text in re.findall(r"loss ([0-9.]+)", done.stdout)]
    assert len(losses) == 7 and losses[0] > 0.6 and losses[-1] < 0.05
    assert float(re.search(r"accuracy ([0-9.]+) %", done.stdout).group(1)) > 98


def test_unknown_isa_is_reported(library: Path, tmp_path: Path) -> None:
    """RUSHLIGHT_ISA with a name that cannot be had: a status with a clear message, and the library works."""
    source = tmp_path / "isa.c"
    source.write_text(
        '#include <stdio.h>\n#include "rushlight.h"\n'
        "int main(void) { rl_status s = rl_isa_status();"
        ' printf("%d %s %s\\n", s, rl_isa(), rl_error_message()); return 0; }\n'
    )
    build(source, library, tmp_path / "isa")

    def run(name: str) -> list[str]:
        environment = {**os.environ, "RUSHLIGHT_ISA": name}
        done = subprocess.run(
            [tmp_path / "isa"], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0
        return done.stdout.strip().split(" ", 2)

    assert run("portable") == ["0", "portable"]
    assert run("scalar") == ["0", "portable"]
    code, isa, message = run("sse9")
    assert code != "0" and isa in ("portable", "avx2", "avx512")
    assert message.startswith("RUSHLIGHT_ISA='sse9' is not the name of an instruction set")
