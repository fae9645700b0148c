"""Builds the C core and the extension module rushlight._C.

One table says which files make what; kernels/isa is compiled once per instruction set. Objects are rebuilt when their
source, a header they include or the flags change. Environment: RUSHLIGHT_DEBUG=1 (no optimisation, asserts),
RUSHLIGHT_SANITIZE=1 (address and undefined-behaviour sanitizers), RUSHLIGHT_COVERAGE=1 (gcov).

    python setup.py build_ext --inplace     the extension, into python/rushlight
    python setup.py build_core              build/librushlight.a, the core without Python, for C programs
"""

import hashlib
import os
import platform
import shlex
import subprocess
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Command, Distribution, Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
CORE = ("core", "autograd", "ops", "kernels")  # folders of csrc whose *.c know no Python
WARN = (
    "-Wall -Wextra -Wshadow -Wstrict-prototypes -Wno-unused-parameter "
    "-Wno-missing-field-initializers -Wno-psabi"
).split()
# Exact arithmetic: fma only where written.  No errno, no trapping: bits stay the same, loops vectorise.
MATH = "-ffp-contract=off -fno-math-errno -fno-trapping-math".split()
ISAS = {"portable": []}
if platform.machine().lower() in ("x86_64", "amd64"):
    ISAS["avx2"] = "-mavx2 -mfma -mf16c -mbmi2".split()
    ISAS["avx512"] = (
        "-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma -mf16c -mbmi2 "
        "-mprefer-vector-width=512"
    ).split()
# Loops over one formula need the vectoriser and no more: -O3 would double their size for nothing, and so would loops of
# half vectors for what whole ones leave over. Kernels that plan registers (tiles, lanes) need their inner loops unrolled.
VECTORISED = "-O2 -ftree-vectorize -fvect-cost-model=dynamic --param=vect-epilogues-nomask=0".split()
PLANNED = {
    **dict.fromkeys(("conv", "gemm", "pool"), ["-O3"]),
    "row": [*VECTORISED, "-fpeel-loops"],
}
# In rows, what AVX-512's whole vectors leave over is up to 15 elements: a softmax of ten classes.
PLANNED_AVX512 = {"row": ["-O3"]}
# Loops of one or two instructions per element wait for memory: AVX-512 would use the bytes of its own build for nothing
# (benchmarks: equal times at 10, 1e3 and 1e4 elements), so kernels/dispatch.c takes AVX2's. So it does where
# AVX-512's share is lost in the rest: optimizers, random numbers, pooling's short rows, most of recurrent layers, and
# (isa.h) float64 but for the elementary functions.
ONLY = {
    **dict.fromkeys(("arith", "complex", "convert", "fft", "integer", "optim", "pool", "random", "reduce"),
                    {"portable", "avx2"}),
}
# On x86 the portable build is the definition that the others are tested against, and what runs on processors before 2013:
# vectors of two doubles and no fma instruction would gain little there for half a megabyte.
SCALAR = ["-Os", "-DRL_CALLS"]


# What runs once per call and only hands on, and what is seldom called, is compiled for size. Measured on the calls that
# these files serve: no slower.
COLD = {
    "ops": set("""bitwise complex complex_sums ctc extremum fft gamma histogram inplace lbfgs median moments
        muon pairs places quantile random rearrange renorm rnn_compose rnn_layer rnn_pack sample
        scatter_reduce search shuffle special split unique unpool view_copy view_scatter""".split()),
    "python": set("""args_errors autograd convert cycles dlpack factor fft graph guard hooks init interop lapack lbfgs numpy override
        parameter random saved_hooks storage tensor_convert tensor_methods types""".split()),
}


def cold(source: Path) -> list[str]:
    folder = "ops" if source.parent.name == "gen" else source.parent.name
    return ["-Os"] if source.stem in COLD.get(folder, ()) else []


def optimisation(kernel: str, isa: str) -> list[str]:
    """How hard the compiler works on a file of kernels/isa."""
    if isa == "portable" and len(ISAS) > 1:
        return SCALAR
    if isa == "avx512" and kernel in PLANNED_AVX512:
        return PLANNED_AVX512[kernel]
    return PLANNED.get(kernel, VECTORISED)


def flags() -> list[str]:
    """Compiler flags of every file, from the environment's switches."""
    result = ["-std=gnu11", "-fPIC", "-pthread", "-fvisibility=hidden", f"-I{ROOT / 'csrc/include'}",
              f"-I{ROOT / 'csrc'}", *WARN, *MATH]
    if os.environ.get("RUSHLIGHT_DEBUG"):
        result += ["-O0", "-g"]
    elif os.environ.get("RUSHLIGHT_SANITIZE"):
        result += ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined",
                   "-fno-sanitize-recover=undefined"]
    else:
        # No exceptions pass through C: the tables for them are a tenth of the file.
        result += ["-O2", "-DNDEBUG", "-fno-asynchronous-unwind-tables", "-ffunction-sections"]
    if os.environ.get("RUSHLIGHT_COVERAGE"):
        result += ["--coverage"]
    return result


def link_flags() -> list[str]:
    result = ["-pthread"]
    if os.environ.get("RUSHLIGHT_SANITIZE"):
        result += ["-fsanitize=address,undefined"]
    elif not os.environ.get("RUSHLIGHT_DEBUG"):
        result += ["-s"]  # symbols are half of the file
        if platform.system() == "Linux":
            result += ["-Wl,--gc-sections"]
            if packs_relocations():
                result += ["-Wl,-z,pack-relative-relocs"]
    if os.environ.get("RUSHLIGHT_COVERAGE"):
        result += ["--coverage"]
    return result


def packs_relocations() -> bool:
    """Whether this machine's loader reads the packed form of the addresses that it must adjust (an eighth of the file
    otherwise): glibc from 2.36. A linker that does not know it ignores the option."""
    try:
        library, version = os.confstr("CS_GNU_LIBC_VERSION").split()
        return library == "glibc" and tuple(map(int, version.split(".")[:2])) >= (2, 36)
    except (AttributeError, ValueError, OSError):
        return False


def core_jobs() -> list[tuple[Path, str, list[str]]]:
    """(source, object name, extra flags) of every object of the core."""
    jobs = []
    plain = os.environ.get("RUSHLIGHT_DEBUG") or os.environ.get("RUSHLIGHT_SANITIZE")
    for folder in CORE:
        for source in sorted((ROOT / "csrc" / folder).rglob("*.c")):
            name = "_".join(source.relative_to(ROOT / "csrc").with_suffix("").parts)
            if source.parent.name == "isa":
                for isa, extra in ISAS.items():
                    if isa not in ONLY.get(source.stem, ISAS):
                        continue
                    optimise = [] if plain else optimisation(source.stem, isa)
                    jobs.append((source, f"{name}_{isa}", [f"-DRL_ISA={isa}", *optimise, *extra]))
            else:
                isas = [f"-DRL_HAVE_{isa.upper()}" for isa in ISAS]
                jobs.append((source, name, isas + ([] if plain else cold(source))))
    return jobs


def python_jobs() -> list[tuple[Path, str, list[str]]]:
    import numpy

    include = [f"-I{sysconfig.get_paths()['include']}", f"-I{numpy.get_include()}"]
    plain = os.environ.get("RUSHLIGHT_DEBUG") or os.environ.get("RUSHLIGHT_SANITIZE")
    return [
        (source, f"python_{source.stem}", include + ([] if plain else cold(source)))
        for source in sorted((ROOT / "csrc/python").glob("*.c"))
    ]


def compiler() -> list[str]:
    return shlex.split(os.environ.get("CC") or "cc")


def up_to_date(target: Path, stamp: Path, key: str) -> bool:
    """Whether target was built with these flags and is newer than everything it was built from."""
    deps = target.with_suffix(".d")
    if not (target.exists() and deps.exists() and stamp.exists() and stamp.read_text() == key):
        return False
    names = deps.read_text().replace("\\\n", " ").split(":", 1)[1].split()
    try:
        return all(os.stat(name).st_mtime <= target.stat().st_mtime for name in names)
    except OSError:
        return False


def compile_all(jobs: list[tuple[Path, str, list[str]]], folder: Path) -> list[str]:
    """Compiles what is stale, as many at a time as there are processors; returns the objects' paths."""
    folder.mkdir(parents=True, exist_ok=True)
    common = flags()

    def one(job: tuple[Path, str, list[str]]) -> str:
        source, name, extra = job
        target = folder / f"{name}.o"
        stamp = folder / f"{name}.key"
        command = [*compiler(), *common, *extra, "-MMD", "-c", str(source), "-o", str(target)]
        key = hashlib.sha256(" ".join(command).encode()).hexdigest()
        if not up_to_date(target, stamp, key):
            stamp.unlink(missing_ok=True)
            subprocess.run(command, check=True)
            stamp.write_text(key)
        return str(target)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(one, jobs))


def check_compiler() -> None:
    """Says what is missing instead of failing in the middle."""
    try:
        subprocess.run([*compiler(), "--version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(
            f"rushlight needs a C compiler (GCC or Clang) to build, and '{' '.join(compiler())}' does not run: "
            f"{error}. Install one (Debian and Ubuntu: apt-get install gcc python3-dev; Fedora: dnf install gcc "
            "python3-devel; macOS: xcode-select --install) or name it in the environment variable CC."
        ) from None
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    if not header.exists():
        raise SystemExit(
            f"rushlight needs Python's C headers to build, and {header} is missing. "
            "Install them (Debian and Ubuntu: apt-get install python3-dev; Fedora: dnf install python3-devel)."
        )


class BuildExt(build_ext):
    """Compiles with the table above in place of setuptools' one-flag-set-for-all."""

    def build_extension(self, ext: Extension) -> None:
        check_compiler()
        folder = Path(self.build_temp) / variant()
        objects = compile_all(core_jobs() + python_jobs(), folder)
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        dynamic = ["-bundle", "-undefined", "dynamic_lookup"] if platform.system() == "Darwin" else ["-shared"]
        subprocess.run(
            [*compiler(), *dynamic, *objects, "-o", str(target), "-lm", *link_flags()], check=True
        )


class BuildCore(Command):
    """The core alone, as a static library."""

    description = "build build/librushlight.a, the C core without Python"
    user_options: list = []

    def initialize_options(self) -> None: ...

    def finalize_options(self) -> None: ...

    def run(self) -> None:
        check_compiler()
        folder = ROOT / "build" / f"core{variant()}"
        objects = compile_all(core_jobs(), folder)
        library = ROOT / "build" / f"librushlight{variant()}.a"
        library.unlink(missing_ok=True)
        subprocess.run(["ar", "rcs", str(library), *objects], check=True)
        print(library)


def variant() -> str:
    """Keeps the objects of debug, sanitizer and coverage builds apart."""
    names = ("DEBUG", "SANITIZE", "COVERAGE")
    return "".join(f"-{name.lower()}" for name in names if os.environ.get(f"RUSHLIGHT_{name}"))


class BinaryDistribution(Distribution):
    def has_ext_modules(self) -> bool:
        return True


if __name__ == "__main__":
    setup(
        ext_modules=[Extension("rushlight._C", sources=[])],
        cmdclass={"build_ext": BuildExt, "build_core": BuildCore},
        distclass=BinaryDistribution,
    )
