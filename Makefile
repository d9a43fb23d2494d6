# Two commands for a fresh machine: `make demo` and `make test`. Each makes its own environment in .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
export PYTHONUTF8 := 1

.PHONY: demo test slow lint model spark env clean

demo: .venv/ready
	$(BIN)/python route.py corpus/sample --out out/demo --overwrite

test: .venv/ready
	$(BIN)/python -m pytest -q -n 2

slow: .venv/ready
	$(BIN)/python -m pytest -q -m slow

# What --engine spark needs beside a Java runtime of version 17.
spark: .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-spark.lock

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Trains the shipped model from corpus/ alone; the same corpus gives the same scores.
model: .venv/ready
	$(BIN)/python train.py corpus/submissions corpus/matters.csv corpus/issues --held-out corpus/heldout.csv \
		--settings corpus/default.toml --out models/default --overwrite

env: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c "open('.venv/ready', 'w', encoding='utf-8').close()"

clean:
	rm -rf .venv out dist
