# Everything that one does here, with its set-up: each target installs what it lacks first, once.
.DEFAULT_GOAL := help
.PHONY: help demo testbed testbed-down pack lint unit integration quick-integration testbed-tests test bench format lock clean
MAKEFLAGS += --no-print-directory

help:  ## What there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' Makefile

demo:  ## A person logs in with AWS keys: deploys everything on this machine and walks through it
	@scripts/lab run -- python -m demo \
		--control-plane $(or $(CONTROL_PLANE),1.28) --authority $(or $(CA),easyrsa)

testbed:  ## The same cluster, and a shell in which juju and kubectl work
	@scripts/lab up
	@scripts/lab shell

testbed-down:  ## End it, and leave nothing behind
	@scripts/lab down

pack:  ## The charm for every platform, or the one of PLATFORM=ubuntu-24.04-amd64, into build/
	@scripts/pack $(PLATFORM)

lint:  ## Format, rules, spelling, types and the charm's conventions
	@scripts/with-tools scripts/lint

unit:  ## The charm's unit tests with coverage: no root, no network
	@scripts/with-tools pytest tests/unit --cov --numprocesses auto

integration:  ## Every integration test, in the testbed or on the controller of the juju on PATH
	@scripts/with-tools scripts/integration

quick-integration:
	@scripts/with-tools scripts/integration -m "not slow"

testbed-tests:
	@scripts/lab setup
	@scripts/with-tools scripts/testbed-tests

test:  ## Lint, unit tests, the testbed's own, integration tests; LONG=1 adds the long ones
	@scripts/lab setup
	@$(MAKE) lint
	@$(MAKE) unit
	@$(MAKE) testbed-tests
	@$(MAKE) $(if $(LONG),,quick-)integration

bench:  ## What hooks and logins cost, as ratios
	@scripts/lab run -- python -m benchmarks

format:  ## Put the code into the project's format
	@scripts/with-tools ruff check --fix-only --exit-zero --quiet
	@scripts/with-tools ruff format

lock:  ## Renew the hashed locks from the .in files
	@scripts/lock

clean:  ## Remove what was built in this folder (the cache outside it stays)
	@rm -rf build .tox .coverage .hypothesis .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
