# What can be done with this checkout. `make` alone lists it.
# Every target sets up first; when that was done before it takes a moment and needs no network.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Relative, so that a checkout in a folder with spaces in its name works as well.
BIN := .venv/bin
PYTHON := $(BIN)/python
PYTEST := $(PYTHON) -m pytest

# Layers of tests, the quick ones first: tests/<layer>/, `make test-<layer>`.
LAYERS := tidy unit properties scenarios simulation contract shell e2e chaos web
PACKAGES := agent_node broker dashboard_node jobplan schemas
SOURCES := $(PACKAGES) scripts tests $(wildcard benchmarks)

# Arguments for the command behind a target: make demo ARGS=--help.
ARGS ?=
SEED ?=
MINUTES ?= 5

# How long the tests that could go on for ever may take, in seconds, as part of `make test`.
export SIMULATION_SECONDS ?= 60
export CHAOS_SECONDS ?= 60

# Nothing that a test or a linter leaves behind is outside .cache/. (pytest, ruff, mypy, coverage: see pyproject.toml.)
export HYPOTHESIS_STORAGE_DIRECTORY := .cache/hypothesis

# ------------------------------------------------------------------------------------------------ start here

.PHONY: help
help: ## list what can be done
	@awk 'BEGIN { FS = ":.*## " } \
	    /^# -+ / { sub(/^# -+ /, ""); printf "\n%s\n", $$0 } \
	    /^[a-zA-Z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## make everything ready: .venv/ with the locked packages, mosquitto
	@scripts/setup

.PHONY: browser
browser: setup
	@scripts/setup browser

.PHONY: demo
demo: setup ## watch a plan run: broker, dashboard and agent on this machine, then the end [ARGS=...]
	@$(BIN)/jobplan demo --exit $(ARGS)

.PHONY: test
test: setup browser ## all tests, or those you name [ARGS="tests/unit -k restart"]
	@PYTHONASYNCIODEBUG=1 $(PYTEST) $(ARGS)

.PHONY: all
all: check test ## what a change must pass: check, then test

# ------------------------------------------------------------------------------------------------ quality

.PHONY: pages
pages: setup ## make again what pages take from the code
	@$(PYTHON) scripts/pages.py

.PHONY: check
check: setup ## format, lint, types, imports, house rules; quick
	@$(BIN)/ruff format --check --quiet $(SOURCES) || { echo "make format puts this right"; exit 1; }
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --cache-dir .cache/imports
	@$(PYTEST) -q tests/tidy

.PHONY: check-more
check-more: setup ## a second opinion on the types (basedpyright); not a gate
	@$(BIN)/python -I -m pip --disable-pip-version-check --no-cache-dir --quiet install --root-user-action=ignore \
	    --require-hashes --no-deps -r requirements-more.lock
	@$(BIN)/basedpyright

.PHONY: format
format: setup ## format the code, and put right what ruff can
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix --quiet $(SOURCES)

.PHONY: cover
cover: setup ## coverage: all of what is pure by unit and properties alone, most of the rest by all tests
	@$(PYTHON) -m coverage run -m pytest -q tests/unit tests/properties
	@$(PYTHON) -m coverage report --fail-under=100 \
	    --include='schemas/*,*/core/*,broker/topics.py,broker/filters.py,broker/model.py'
	@$(PYTHON) -m coverage run --append -m pytest -q $(addprefix tests/,scenarios contract shell)
	@$(PYTHON) -m coverage report --fail-under=90

# ------------------------------------------------------------------------------------------------ tests

.PHONY: $(addprefix test-,$(LAYERS))
$(addprefix test-,$(LAYERS)): test-%: setup
	@PYTHONASYNCIODEBUG=1 $(PYTEST) tests/$* $(ARGS)

test-web: browser

.PHONY: test-LAYER
test-LAYER: ## one layer: tidy unit properties scenarios simulation contract shell e2e chaos web
	@echo "name a layer: make test-unit; there are: $(LAYERS)" >&2; exit 2

.PHONY: sim
sim: setup ## simulate faults on virtual time [SEED=n replays one run] [ARGS=...]
	@$(PYTHON) -m tests.simulation $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: sim-mutants
sim-mutants: setup ## break the code on purpose, one place at a time: does the simulation notice? [ARGS=...]
	@$(PYTHON) -m tests.simulation.mutants $(ARGS)

.PHONY: chaos
chaos: setup ## real broker, real nodes, real commands, kill -9 at random [MINUTES=5] [SEED=n] [ARGS=--broker=nats-cluster]
	@$(PYTHON) -m tests.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: e2e
e2e: test-e2e ## real broker, real processes

.PHONY: mutation
mutation: setup ## would the tests notice a small mistake in the dashboard's rules? see docs/mutation.md [ARGS=files]
	@$(PYTHON) scripts/mutation.py $(ARGS)

.PHONY: nats
nats: setup ## the suites of the bus and the main job on NATS alone [ARGS=...]
	@NATS=1 $(PYTEST) tests/e2e/test_nats.py tests/contract -k nats $(ARGS)

.PHONY: bench
bench: setup ## measure, each figure beside its floor [ARGS="hop fan --rounds 5 --quick"]
	@$(PYTHON) -m benchmarks $(ARGS)

.PHONY: bench-pages
bench-pages: setup ## from what was measured: the tables of README, docs/performance.md and docs/capacity.md, the curves
	@$(PYTHON) -m benchmarks.pages

.PHONY: bench-peers
bench-peers: setup ## the same chain and fan through Airflow, Celery and Prefect; needs redis-server, postgresql [ARGS=celery]
	@$(PYTHON) -m benchmarks.peers $(ARGS)

.PHONY: scenarios-rewrite
scenarios-rewrite: setup ## write what the stories show now into their files; review the difference
	@SCENARIOS_REWRITE=1 $(PYTEST) -q tests/scenarios

# ------------------------------------------------------------------------------------------------ upkeep

.PHONY: web
web: ## build the page from web/ into jobplan/web/static/; needs node 20 and npm
	@command -v npm >/dev/null || { echo "web: npm is missing: install node 20 or newer (Debian: apt-get install npm)" >&2; exit 2; }
	@cd web && npm ci --ignore-scripts --no-fund --no-audit --loglevel=error && npm run --silent build

.PHONY: pictures
pictures: setup browser ## take the pictures of the page in docs/pictures/ anew
	@PICTURES=docs/pictures $(PYTEST) -q tests/web/test_pictures.py

.PHONY: lock
lock: ## remake the lock files from pyproject.toml; needs uv [ARGS=--upgrade]
	@scripts/lock $(ARGS)

.PHONY: clean
clean: ## remove what set-up, tests and linters have made
	@rm -rf .venv .cache .hypothesis .*_cache dist
	@find $(SOURCES) -type d -name __pycache__ -prune -exec rm -rf {} +
