# What a developer types.  PYTHON names the interpreter: one with setuptools, NumPy and, for the checks, the `dev` extra.
PYTHON ?= python3
CC ?= cc
C_FILES = $(shell git ls-files 'csrc/*.c' 'csrc/*.h' 'tests/c/*.c' 'tests/c/*.h' 'examples/c/*.c' | grep -vE '/gen/|rushlight_ops.h')

.PHONY: dev core ctest example test asan check gen bench sweep format clean

dev: ## the extension, into python/rushlight
	$(PYTHON) setup.py -q build_ext --inplace

core: ## build/librushlight.a, the C core without Python
	$(PYTHON) setup.py -q build_core

ctest: ## the C tests, with every allocation made to fail in turn
	$(PYTHON) -m pytest -q tests/test_c.py

example: core ## the C example: trains an MLP
	$(CC) -std=c11 -O2 -Icsrc/include examples/c/train_mlp.c build/librushlight.a -lm -pthread -o examples/c/train_mlp
	examples/c/train_mlp

test: dev
	PYTHONPATH=$(CURDIR)/python $(PYTHON) -m pytest -q

asan: ## the C tests and the operator cases under the address and undefined-behaviour sanitizers
	bash tools/sanitize.sh $(PYTHON)

check: dev ## generated files fresh, formatting, no warnings, tests
	$(PYTHON) tools/gen_ops.py --check
	clang-format --dry-run --Werror $(C_FILES)
	ruff check python tests tools benchmarks examples setup.py
	PYTHONPATH=$(CURDIR)/python $(PYTHON) -m pytest -q tests/test_smoke.py tests

gen: ## the files generated from csrc/table
	$(PYTHON) tools/gen_ops.py

bench: dev ## the table of rushlight against PyTorch and others, into docs/performance.md and README.md
	PYTHONPATH=$(CURDIR)/python $(PYTHON) -m benchmarks --write docs/performance.md --readme README.md

sweep: dev ## every operator against PyTorch at 1e4 and 1e7 elements: names those more than 1.5 times slower
	PYTHONPATH=$(CURDIR)/python $(PYTHON) benchmarks/sweep.py

format:
	clang-format -i $(C_FILES)
	ruff check --fix python tests tools benchmarks examples setup.py

clean:
	rm -rf build python/rushlight/*.so examples/c/train_mlp
