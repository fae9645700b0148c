#!/usr/bin/env bash
# Builds with the address and undefined-behaviour sanitizers and runs the C tests and the Python suite's core under them.
#   bash tools/sanitize.sh PYTHON     PYTHON: an interpreter with setuptools, numpy and the test requirements
set -euo pipefail
python=$1
cd "$(dirname "$0")/.."
export RUSHLIGHT_SANITIZE=1
"$python" -m pip install --quiet setuptools numpy
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$python" setup.py -q build_ext --build-lib "$out/lib" --build-temp build/sanitize
cp -r python/rushlight "$out/lib/"
find "$out/lib" -name '_C*.so' -newer setup.py | head -n 1 >/dev/null

"$python" -m pytest -q tests/test_c.py

# Python itself is not instrumented: the runtimes are preloaded, and the interpreter's own leaks are not ours.
runtimes="$(${CC:-cc} -print-file-name=libasan.so) $(${CC:-cc} -print-file-name=libubsan.so)"
env LD_PRELOAD="$runtimes" ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
    PYTHONPATH="$out/lib" PYTHONMALLOC=malloc \
    "$python" -m pytest -q -x -p no:cacheprovider tests/test_smoke.py tests/test_ops.py -k "not gradient"
