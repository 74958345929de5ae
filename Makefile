# Everything a contributor or a build machine runs. `make` lists the targets.
# Needs GNU make, a POSIX shell and Python 3.11, 3.12 or 3.13; the rest is installed into .venv.

PYTHON ?= python3
# Every extra that the tests or the pins need, with commas between.
EXTRAS := dev,datasets,onnx,tensorboard

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup format lint test-fast check test test-all demo build smoke constraints clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP) ## Make .venv with the package and all its tools, as pinned in constraints.txt

# torch goes first and alone: a CPU build that pip is offered by an index or a folder of wheels is
# then in place before anything else can ask for torch. A package whose copying was cut short has
# no RECORD; it is dropped here, because pip can neither use nor replace it. hatchling is there so
# that `make constraints` pins the version that `make build` takes.
$(STAMP): pyproject.toml constraints.txt
	@set -e; \
	fits='import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; \
	if ! { $(BIN)/python -c "$$fits" && $(BIN)/python -m pip --version; } >/dev/null 2>&1; then \
		for python in "$(PYTHON)" python3.11 python3.12 python3.13 ''; do \
			if [ -n "$$python" ] && "$$python" -c "$$fits" 2>/dev/null; then break; fi; \
		done; \
		if [ -z "$$python" ]; then \
			echo 'no Python 3.11, 3.12 or 3.13 found; install one, or give make PYTHON=/path/to/python' >&2; \
			exit 1; \
		fi; \
		"$$python" -m venv --clear $(VENV); \
	fi; \
	for info in $(VENV)/lib/python3.*/site-packages/*.dist-info; do \
		if [ -d "$$info" ] && [ ! -f "$$info/RECORD" ]; then rm -rf "$$info"; fi; \
	done
	$(PIP_INSTALL) --quiet torch
	$(PIP_INSTALL) --quiet hatchling --editable '.[$(EXTRAS)]'
	@touch $@

format: $(STAMP) ## Rewrite the sources in the project's format, and mend what ruff can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lint: $(STAMP) ## Format, ruff, types and import directions, without changing a file
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

test-fast: $(STAMP) ## Tests that take less than a minute and need neither data nor a GPU
	$(BIN)/pytest -q -n auto -m 'not slow and not nightly and not sweep and not data and not gpu'

check: lint test-fast ## What every commit must pass: lint and the fast tests

# A file stays with one worker, so that what it learns for all of its tests is learned once.
test: $(STAMP) ## The tests of every change, with coverage and the slowest at the end
	$(BIN)/pytest -n auto --dist loadfile --runslow --cov --durations=50

test-all: $(STAMP) ## All tests, also those of every night: hours
	$(BIN)/pytest -n auto --runslow --runnightly --runsweep --durations=50

demo: $(STAMP) ## Learn a painted crossroads and cut out its cars, into demo/
	$(BIN)/cleanplate demo --overwrite --out demo

build: $(STAMP) ## Wheel and source archive, into dist/
	rm -rf dist
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m build

smoke: $(STAMP) ## Install the built wheel into a clean place outside the checkout, and use it there
	sh tools/smoke.sh $(BIN)/python

constraints: $(STAMP) ## Pin again, in constraints.txt, what .venv holds now
	sh tools/constraints.sh $(BIN)/python

clean: ## Remove what the other targets made, except .venv
	rm -rf dist demo htmlcov .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -f .coverage .coverage.*
	find src tests -type d -name __pycache__ -prune -exec rm -rf {} +
