# `make` alone lists what can be done. Every recipe is something one could type by hand.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PACKAGES := protocol audio_library edge server firmware_config
SCRIPTS := $(wildcard scripts/*.sh) .ci/run

# The front end is built anew when one of these has changed.
PAGES := package.json package-lock.json $(shell find server/web/frontend server/web/static/js -type f 2>/dev/null)

.PHONY: help
help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# ------------------------------------------------------------------ set-up

.PHONY: setup
setup: .stamps/packages .stamps/pages  ## make .venv and build the pages; does nothing when nothing changed

.stamps/venv: requirements/setup.txt scripts/venv.sh
	scripts/venv.sh $(VENV)
	@mkdir -p .stamps && touch $@

# Once the tests' packages are there, set-up keeps them.
.stamps/packages: .stamps/venv requirements/server.txt pyproject.toml scripts/packages.sh
	scripts/packages.sh $(VENV) $(if $(wildcard .stamps/dev),requirements/dev.txt,requirements/server.txt)
	@touch $@

.stamps/dev: .stamps/venv requirements/dev.txt pyproject.toml scripts/packages.sh
	scripts/packages.sh $(VENV) requirements/dev.txt
	@touch .stamps/packages $@

.stamps/pages: .stamps/venv requirements/node.txt scripts/pages.sh $(PAGES)
	scripts/pages.sh $(VENV)
	@touch $@

.PHONY: setup-dev
setup-dev: .stamps/dev .stamps/pages  ## the same, with what the tests and static checks need

# ------------------------------------------------------------------ run

.PHONY: demo
demo: setup  ## run a small province on this machine: server, broker and 12 nodes
	$(BIN)/loa demo

.PHONY: up
up: setup  ## run the server on this machine: broker, gateway, scheduler and web
	$(BIN)/loa up

.PHONY: node
node: setup  ## run one node without a sound card: make node FILE=node.json
	$(BIN)/loa node --node-file $(FILE) --output simulated

.PHONY: migrate
migrate: setup  ## bring the database's tables up to date
	$(BIN)/loa db upgrade

.PHONY: country
country: .stamps/venv  ## make the tables of provinces and communes anew
	scripts/country.sh $(VENV)

# ------------------------------------------------------------------ check

.PHONY: format
format: .stamps/dev  ## put the code into its one form
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: check
check: .stamps/dev  ## static checks: ruff, mypy, import contracts, shellcheck, codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/shellcheck $(SCRIPTS)
	$(BIN)/codespell $(PACKAGES) tests scripts README.md CHANGELOG.md CONTRIBUTING.md

.PHONY: audit
audit: .stamps/dev  ## ask the vulnerability database about every pinned package (needs the network)
	$(BIN)/pip-audit --disable-pip --require-hashes -r requirements/dev.txt

# ------------------------------------------------------------------ test

.PHONY: test
test: setup-dev programs  ## rules, services, the main job and the main pages, after setting up what they need
	scripts/test.sh $(BIN)/pytest every-day

.PHONY: test-slow
test-slow: setup-dev programs  ## the rest: PostgreSQL, listening in real time, programs that die, all pages, the largest inputs
	scripts/test.sh $(BIN)/pytest slow

.PHONY: test-soak
test-soak: setup-dev programs  ## kill every program at many moments of the demo; a node through days of faults; random days and rules by the thousand
	$(BIN)/pytest tests/soak
	$(BIN)/pytest -n 2 --timeout 3600 --hypothesis-profile search tests/unit

.PHONY: programs
programs:
	scripts/programs.sh

.PHONY: test-unit
test-unit: .stamps/dev  ## rules only: memory, no sockets
	$(BIN)/pytest tests/unit

.PHONY: test-e2e
test-e2e: setup-dev  ## our programs as processes
	$(BIN)/pytest tests/e2e

.PHONY: test-browser
test-browser: setup-dev  ## the pages in Chromium
	$(BIN)/pytest tests/browser

.PHONY: bench-conflicts
bench-conflicts: setup-dev  ## check a slot against 1,000 to 100,000 others, on both engines
	$(BIN)/python -m tests.bench.conflicts

# ------------------------------------------------------------------ measure

.PHONY: bench-timeline
bench-timeline: .stamps/dev  ## how long plans and timelines of a province and of a country take
	$(BIN)/python -m tests.bench.timeline

.PHONY: bench-urgent
bench-urgent: setup-dev programs  ## how soon an announcement has reached 100 to 5,000 nodes (NODES=866, ROUNDS=20), and is heard
	$(BIN)/python -m tests.bench.urgent

.PHONY: bench-gateway
bench-gateway: setup-dev  ## what the gateway pays to take in each report of NODES=866, on both engines
	$(BIN)/python -m tests.bench.gateway

.PHONY: bench-live
bench-live: setup-dev programs  ## how late and how evenly somebody who speaks live is heard, and what 1 to 866 listeners cost
	$(BIN)/python -m tests.bench.live

.PHONY: bench-phone
bench-phone: setup-dev programs  ## what the urgent page costs on a cheap telephone with a bad link: bytes, seconds
	$(BIN)/python -m tests.bench.phone

.PHONY: bench-node
bench-node: setup-dev programs  ## what a node costs while it plays and while it waits, and how soon it sounds
	$(BIN)/python -m tests.bench.node

.PHONY: bench-proof
bench-proof: setup-dev  ## what a node's ear finds at 6 dB below noise, what it takes for something, and what listening costs
	$(BIN)/python -m tests.bench.proof

.PHONY: bench-skew
bench-skew: setup-dev programs  ## how far apart two and five nodes sound, and drift, in MINUTES=1 each; Snapcast beside them
	$(BIN)/python -m tests.bench.skew

.PHONY: bench-pages
bench-pages: setup-dev  ## how long the pages of a province take, and what an idle scheduler costs
	$(BIN)/python -m tests.bench.pages
