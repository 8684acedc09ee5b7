# Everything runs in .venv, made from nothing but Python 3.11+ and make. Each target sets up what it needs.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test integration docs lint type evidence bench lock notice clean

help:  ## show this help
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(READY)  ## the whole loop on real German credit data (about 2 minutes)
	$(BIN)/thinfile demo

test: lint type $(READY)  ## lint, type-check, check the import contract, run the tests
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

integration: $(READY)  ## tests with a real PostgreSQL, Spark, Chromium, other environments, repeated commands
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m integration

lint: $(READY)  ## ruff, and the import contract between packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

type: $(READY)  ## mypy --strict
	$(BIN)/mypy

docs: $(READY)  ## the documentation site, in docs/_build
	PYTHONPATH=. $(BIN)/sphinx-build -q -W --keep-going -n -b html docs docs/_build

evidence: $(READY)  ## every claim at full size, figures to evidence/ (several hours; one file: $(BIN)/pytest --full -m "" FILE)
	$(BIN)/pytest tests/evidence --full -m ""

bench: $(READY)  ## the benchmarks, as tables
	$(BIN)/pytest tests/benchmarks --benchmarks -s

lock: $(READY)  ## resolve the dependencies anew; needs uv
	uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --upgrade -q -o requirements.lock
	$(MAKE) notice

notice: $(READY)  ## name the packages that are installed with Thinfile, with their licences, in NOTICE
	$(BIN)/python docs/notice.py

clean:  ## remove what was installed and cached; the workspace stays
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("thinfile needs Python 3.11 to 3.13" if not (3, 11) <= sys.version_info < (3, 14) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
