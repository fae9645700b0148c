"""The machine and the packages: what they are, what the processor can do at most, what importing costs."""

import importlib.metadata
import importlib.util
import io
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

# Floats in an array that no cache holds; streams through it show the memory itself.
MEMORY = 30_000_000

# By number of threads: "fma" in GFLOP/s; "read N", "copy N" and "add N" in GB/s (machine.c says of what).
Limits = dict[int, dict[str, float]]


def environment() -> dict[str, str]:
    """This process's, with the checkout's package first unless another is installed."""
    env = dict(os.environ)
    if importlib.util.find_spec("rushlight") is None:
        env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "python"), env.get("PYTHONPATH", "")])
    return env


class Meter:
    """Measures the processor with machine.c, compiled once; the best of all measurements counts."""

    def __init__(self, threads: list[int], sizes: list[int]) -> None:
        self.threads, self.sizes = threads, sizes
        self.limits: Limits = {t: {} for t in threads}
        self.folder = tempfile.TemporaryDirectory()
        self.program = Path(self.folder.name) / "machine"
        compiler = shutil.which(os.environ.get("CC", "cc").split()[-1])
        for option in (["-march=native"], []):
            command = [str(compiler), "-O3", *option, str(HERE / "machine.c"), "-o", str(self.program), "-pthread"]
            if compiler and not subprocess.run(command, capture_output=True, check=False).returncode:
                break

    def measure(self) -> None:
        """Nothing without a C compiler."""
        if not self.program.exists():
            return
        for t, limits in self.limits.items():
            command = [str(self.program), str(t), *map(str, self.sizes)]
            out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            for line in out.splitlines():
                name, value = line.rsplit(" ", 1)
                limits[name] = max(float(value), limits.get(name, 0.0))


def load() -> str:
    """A warning when other programs keep the processors busy."""
    others = os.getloadavg()[0]
    if others < 0.7:
        return ""
    return f"{others:.1f} other programs were running when this began: times, above all on two threads, are not to be trusted."


def processor() -> str:
    """Its name, as Linux gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} processors" if names else platform.processor() or "an unknown processor"


def version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:  # the checkout's
        command = [sys.executable, "-c", f"import {library}; print({library}.__version__)"]
        return subprocess.run(command, capture_output=True, text=True, env=environment(), check=True).stdout.strip()


# ---- the packages --------------------------------------------------------------------------------------------------

CHILD = """
import sys, time
start = time.perf_counter()
if sys.argv[1] != "-":
    torch = __import__(sys.argv[1])
took = time.perf_counter() - start
if sys.argv[1] in ("rushlight", "torch"):
    net = torch.nn.Sequential(torch.nn.Linear(20, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
    net(torch.rand(2, 20)).sum().backward()
print(took, [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")][0])
"""


def import_cost(library: str, rounds: int) -> tuple[float, float]:
    """(seconds to import, megabytes resident beyond a bare interpreter: rushlight's and PyTorch's after a first
    backward pass, the others' after the import)."""

    def child(name: str) -> tuple[float, float]:
        command = [sys.executable, "-c", CHILD, name]
        out = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True).stdout.split()
        return float(out[0]), float(out[1]) / 1024

    bare = min(child("-")[1] for _ in range(2))
    costs = [child(library) for _ in range(rounds)]
    return min(c[0] for c in costs), min(c[1] for c in costs) - bare


def files(library: str) -> list[Path]:
    """The package's, compiled Python files left out; JAX's compiler and shared libraries beside it are its own."""
    folders = {"jax": ["jax", "jaxlib"], "numpy": ["numpy", "numpy.libs"]}.get(library, [library])
    spec = importlib.util.find_spec(library)
    above = Path(spec.origin).parent.parent if spec and spec.origin else ROOT / "python"
    found = (f for folder in folders for f in (above / folder).rglob("*"))
    return [f for f in found if f.is_file() and "__pycache__" not in f.parts]


def installed_megabytes(library: str) -> float:
    return sum(f.stat().st_size for f in files(library)) / 1e6


def wheel_megabytes(library: str) -> float:
    """The package's files, compressed as in a wheel."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as wheel:
        for f in files(library):
            wheel.write(f)
    return len(buffer.getvalue()) / 1e6
