# Everything runs in .venv; `make run` and `make test` set it up first.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test faults lint bench setup clean
.DELETE_ON_ERROR:

run: setup
	@$(BIN)/ullage demo $(ARGS)

test: setup
	@$(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(ARGS)

# 20 kills of each role under load, audited; `make test` has 3.
faults: setup
	@$(BIN)/python -m pytest tests/faults --kills 20 --kill-figures $(ARGS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup
	@$(BIN)/python -m bench $(ARGS)

setup: $(VENV)/installed

# The stamp follows pyproject.toml: a changed dependency is installed at the next command.
$(VENV)/installed: pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: set PYTHON to its path"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Ullage into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@$(BIN)/python -m models.warm
	@touch $@

clean:
	@rm -rf $(VENV) build *.egg-info
