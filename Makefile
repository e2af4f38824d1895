# What people do here, one target each. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo web test check docs charts chaos bench format lock clean
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

demo: .venv/ready ## the main job, once, on real and synthetic images: under a minute after the first time
	@$(BIN)/python -m kiosk.demo

web: .venv/ready ## build the web page; `monolayer up` does it too, the first time
	@$(BIN)/python -m kiosk.local.page

test: .venv/ready ## unit, integration and end-to-end tests, with the real servers
	@$(BIN)/python -m pytest -q -n 2

check: .venv/ready ## style, types, layers and names, in seconds
	@$(BIN)/ruff check . && $(BIN)/ruff format --check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest -q tests/test_house.py

docs: .venv/docs-ready ## the documentation, into build/docs; a running Monolayer serves it at /docs/
	@$(BIN)/python -m docs

charts: .venv/ready ## the Helm chart, into build/charts, checked against the code and the schemas of all it asks for
	@$(BIN)/python -m charts
	@MONOLAYER_TEST_CHARTS=1 $(BIN)/python -m pytest -q tests/charts

chaos: .venv/ready ## five minutes of faults on a seeded schedule, then the proof that nothing was lost
	@$(BIN)/python -m loadgen chaos --minutes 5 --images 500

bench: .venv/ready ## throughput against a plain loop that does the same work, in one run
	@$(BIN)/python -m tests.bench

format: .venv/ready ## let ruff put the code in order
	@$(BIN)/ruff check -q --fix . && $(BIN)/ruff format -q .

lock: .venv/ready ## resolve the dependencies anew
	@$(BIN)/uv pip compile -q pyproject.toml --extra client --extra server --extra dev --generate-hashes --no-header --no-annotate \
	  --python-version 3.11 --upgrade -o requirements.lock
	@$(BIN)/uv pip compile -q pyproject.toml --extra docs -c requirements.lock --generate-hashes --no-header --no-annotate \
	  --python-version 3.11 --upgrade -o docs/requirements.lock

clean: ## remove the environment and what tests and demos left
	@rm -rf .venv build demo-out bench-out .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

# The environment: uv, by its hash, with pip; everything else, by its hash, with uv.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) kiosk/local/prerequisites.py
	@echo "making the environment in .venv (about two minutes the first time)"
	@test -x $(BIN)/uv || $(PYTHON) -m venv --clear .venv
	@awk '/^uv==/{take=1} take{print} take&&!/\\$$/{exit}' requirements.lock > .venv/uv.lock
	@test -x $(BIN)/uv || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@$(BIN)/uv pip sync -q --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

# What only `make docs` needs, beside the rest.
.venv/docs-ready: .venv/ready docs/requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r docs/requirements.lock
	@touch $@
