# Every target prepares what it needs; only Python 3.11 or newer, make and git are assumed.
PYTHON ?= python3
ARGS   ?=
SPREAD ?= -n 2 --dist worksteal

VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip --disable-pip-version-check
TYPED := bot.py benchmarks connectors mappings sandbox sync $(wildcard docs/csv-connector/*.py)
CODE  := $(TYPED) tests

# other people's clients, whose pins and ours exclude each other
CLIENTS := .venv-clients

.PHONY: demo test check clients lock clean
.DELETE_ON_ERROR:

demo: $(VENV)/ready
	@$(BIN)/python bot.py demo $(ARGS)

test: $(VENV)/ready-dev $(CLIENTS)/ready
	@$(BIN)/python -m pytest $(SPREAD) $(ARGS)

check: $(VENV)/ready-dev
	$(BIN)/ruff check $(wildcard $(CODE))
	$(BIN)/ruff format --check $(wildcard $(CODE))
	$(BIN)/mypy $(wildcard $(TYPED))
	$(BIN)/lint-imports

# The locks hold versions and hashes and nothing about the machine or the index they were made with.
COMPILE = .venv-lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock: .venv-lock/bin/uv
	$(COMPILE) --upgrade --group build --output-file requirements.txt
	$(COMPILE) --upgrade --group dev --constraint requirements.txt --no-annotate --output-file requirements-dev.txt
	$(subst pyproject.toml,tests/clients/requirements.in,$(COMPILE)) --upgrade --no-annotate --output-file tests/clients/requirements.txt
	@! grep -nE '://|--(extra-)?index-url|--find-links' requirements.txt requirements-dev.txt tests/clients/requirements.txt

clean:
	rm -rf $(VENV) $(CLIENTS) .venv-lock build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Lockstep needs Python 3.11 or newer; '$(PYTHON)' is not. Name one: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; \
		exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo "This Python cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
		rm -rf $(VENV); exit 1; }

# Stamps: a second call only compares dates.
$(VENV)/pins: requirements.txt | $(BIN)/python
	@echo "Installing what Lockstep runs on (once) ..."
	@$(PIP) install --quiet --require-hashes -r requirements.txt
	@touch $@

$(VENV)/ready: $(VENV)/pins pyproject.toml
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/ready-dev: requirements-dev.txt $(VENV)/ready
	@echo "Installing what the tests and checks need (once) ..."
	@$(PIP) install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

clients: $(CLIENTS)/ready

$(CLIENTS)/ready: tests/clients/requirements.txt
	@echo "Installing the clients that the tests run against the sandbox (once) ..."
	@$(PYTHON) -m venv $(CLIENTS)
	@$(CLIENTS)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r tests/clients/requirements.txt
	@touch $@

.venv-lock/bin/uv:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip --disable-pip-version-check install --quiet uv
