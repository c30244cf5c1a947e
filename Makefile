# Targets only name things: the work is in tools/, where paths can be quoted, so that a checkout
# may have a space in its path.
#
#   make test PYTHON=python3.12     one interpreter instead of all that are found
#   make test ARGS="-k region -x"   arguments for pytest

.DEFAULT_GOAL := help
.PHONY: help demo test lint coverage generated stress cpython-tests bench correctness asan leaks \
        valgrind sdist clean

# Packages are installed without bytecode: where none may be written, every process of every test would
# compile what it imports, which takes longer than the tests.
unexport PYTHONDONTWRITEBYTECODE

# Where C is being changed a warning is an error; it must not stop a first demo on a new compiler.
test stress cpython-tests leaks valgrind: export SCOPE_PROFILER_WERROR ?= 1

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' Makefile

demo:  ## set up .venv and profile a part of the standard library
	@tools/run.sh examples/stdlib_compile.py

test:  ## run the test suite on every supported Python that is found
	@tools/test_all.sh $(ARGS)

lint:  ## check the code without running it: ARGS="BASE" for C that differs from that commit
	@tools/lint.sh $(ARGS)

coverage:  ## tell which lines of C and Python the tests reach
	@tools/coverage.sh $(ARGS)

generated:  ## write the stubs and pages that are made of the code
	@tools/run.sh tools/generate.py --write

stress:  ## run the stress test: 8 threads, a million calls each
	@tools/stress.sh $(ARGS)

kill-tests:  ## kill 200 programs, and compare their journals with what they did: ARGS="RUNS"
	@tools/run.sh tools/kill_tests.py $(ARGS)

cpython-tests:  ## run CPython's own tests under the profiler: ARGS="--short", ARGS="test_json"
	@tools/cpython_tests.sh $(ARGS)

bench:  ## compare the cost of everything with the peers
	@tools/bench.sh $(ARGS)

correctness:  ## ask every profiler for what is known, and write docs/correctness.md
	@tools/correctness.sh $(ARGS)

asan:  ## run the tests that get to C under the address and undefined-behaviour sanitizers
	@tools/asan.sh $(ARGS)

leaks:  ## run the leak checks
	@tools/leaks.sh

valgrind:  ## run a short subset of the tests under valgrind
	@tools/valgrind.sh

sdist:  ## write the source distribution into dist/
	@tools/run.sh setup.py --quiet sdist

clean:  ## remove everything that was built, virtual environments included
	@rm -rf build dist .venv .venv-* *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
	@rm -f scope_profiler/_core.*.so
	@find . -name __pycache__ -prune -exec rm -rf {} +
