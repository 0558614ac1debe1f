# Everything works from here: `make train`, `make test`. The set-up is done when it is needed and only then.
EXP ?= digits-cnn
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The loop, the checkpoints and the record are tested to the last line and branch.
COMPLETE := --cov --cov-fail-under=100 --cov-report=term-missing:skip-covered
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: help train run-all test test-slow test-nightly check format bench guarantees doctor-score setup tools docs \
	figures clean

help:
	@echo "make train [EXP=points] [ARGS='--lr 1e-3']   set up, then train an experiment (digits-cnn)"
	@echo "make run-all [ARGS='--size full']           set up, then every experiment; artifacts/results.md"
	@echo "make test                                   set up, then lint, types and the whole test suite"
	@echo "make test-slow | test-nightly               what takes minutes, what takes hours"
	@echo "make guarantees [ARGS='kills --scale quick'] attack what is promised; writes docs/guarantees.md"
	@echo "make doctor-score                           what the doctor names, claims wrongly, and costs"
	@echo "make docs                                   the documentation as a site, in build/docs, its links checked"
	@echo "make check | format | bench | figures | clean"

train: setup
	@$(BIN)/loopwright train $(EXP) $(ARGS)

run-all: setup
	@$(BIN)/loopwright run-all $(ARGS)

test: setup tools check
	@$(BIN)/python -m pytest -n 2 -m "not slow and not nightly" $(COMPLETE)

test-slow: setup tools
	@$(BIN)/python -m pytest -m "slow"

test-nightly: setup tools
	@$(BIN)/python -m pytest -m "nightly"

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup $(VENV)/.bench
	@$(BIN)/python benchmarks/bench.py $(ARGS)

guarantees: setup tools
	@$(BIN)/python -m guarantees $(ARGS)

# How good the doctor is: what it names, what it claims wrongly, what it costs; minutes, with ARGS=--full hours.
doctor-score: setup $(VENV)/.bench
	@$(BIN)/python -m doctor_score $(ARGS)

docs: setup
	@$(BIN)/python -m docs.making

# The figures and screenshots of the documentation, from real runs; those of a browser where there is one.
figures: setup
	@$(BIN)/python -m docs.making.figures
	@$(BIN)/python -m docs.making.screenshots

setup: $(VENV)/.done

# In CI the pages are tested in a real browser and system calls are refused by strace; elsewhere those tests are skipped
# where one of them is missing.
tools:
	@if [ -n "$$CI" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		! { command -v chromium && command -v strace; } >/dev/null; then \
		apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium strace >/dev/null; fi

$(VENV)/.done: pyproject.toml constraints.txt
	@echo "setting up $(VENV) (once; about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -qq --disable-pip-version-check $(PIP_ARGS) --constraint constraints.txt torch
	@$(BIN)/pip install -qq --disable-pip-version-check $(PIP_ARGS) --constraint constraints.txt --editable '.[all,dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.done benchmarks/constraints.txt
	@$(BIN)/pip install -qq --disable-pip-version-check $(PIP_ARGS) --constraint constraints.txt \
		--constraint benchmarks/constraints.txt --editable '.[bench]'
	@touch $@

clean:
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis
