# What one does here. Each target first installs what it lacks outside of the system, once.
.DEFAULT_GOAL := help
.PHONY: help setup demo testbed testbed-down format lint quick unit browser conformance testbed-tests integration test checks lives audit watch facts fuzz mutants bench matrix docs terraform pack release lock clean
MAKEFLAGS += --no-print-directory

CONTROL_PLANE ?= 1.29
CA ?= easyrsa
FILES ?= src/access/arn.py
FLOOR ?= 80
KUBERNETES ?= 1.28 1.29 1.30 1.31 1.32 1.33 1.34 1.35 1.36 latest
MAPPINGS ?= $(if $(LOAD),10000,1000)
BENCH = $(if $(SOAK),.soak --hours $(SOAK),$(if $(LOAD),.load) --mappings \
	$(MAPPINGS)$(if $(LOAD),, --authority $(CA)))

help:  ## This list | |
	@awk -F ':  ## | *\\| *' 'BEGIN { printf "     %-15s%-74s%-9s%s\n", "", "", "needs", "takes" } \
		/^[a-z-]+:  ## / { printf "make %-15s%-74s%-9s%s\n", $$1, $$2, $$3, $$4 }' Makefile
	@echo
	@echo "Variables: CONTROL_PLANE=1.28|1.29 and CA=easyrsa|vault|self-signed-certificates for demo; ARGS='-k name -x' for quick,"
	@echo "unit, browser, conformance and integration; TESTBED_JUJU=3.6|4.1|FOLDER for what runs in a testbed; LONG=1 for test;"
	@echo "MINUTES=60, SEED=7, STORY=… for lives; FILES=src/access/arn.py, TESTS=tests/unit, FLOOR=80 for mutants; MAPPINGS=10000,"
	@echo "LOAD=1 or SOAK=HOURS for bench; KUBERNETES='1.31 1.32' for matrix; ARCH=amd64 for pack;"
	@echo "CHANNEL=latest/edge for release; ARGS=--upgrade for lock. Root means root or sudo: only these install Debian"
	@echo "packages, the others say which are missing. What else a target lacks is fetched first, into the cache; the programs"
	@echo "of a testbed take seven minutes on two cores for demo and testbed, twelve for all, an hour for all of matrix."

demo:  ## Deploy everything on this machine, and walk a person through a login | root | 2 min
	@TESTBED_KUBERNETES=$(patsubst 1.29,latest,$(CONTROL_PLANE)) scripts/lab run -- \
		python -m demo --control-plane $(CONTROL_PLANE) --authority $(CA)

testbed:  ## Open a shell in a testbed, where juju and kubectl work | root | 10 s
	@scripts/lab up
	@scripts/lab shell

testbed-down:  ## End that testbed, and leave nothing behind | root | 1 s
	@scripts/lab down

setup:  ## Install the Debian packages that others need; ARGS=--browser: a browser | root | 1 min
	@SETUP=1 scripts/with-tools true
	@SETUP=1 scripts/with-tools $(or $(ARGS),--charmcraft) true

format:  ## Put the code into the project's format | | 1 s
lint:  ## Check format, rules, spelling, types, workflows, conventions, docs | | 2 min
quick:  ## Run the unit tests, but for those of whole hooks, which it skips | | 15 s
unit:  ## Run the charm's unit tests; ARGS=--cov says what they leave out | | 75 s
browser:  ## Open the built docs in a headless browser: errors, search, width | | 1 min
conformance:  ## Compare the charm's decisions with those of the programs around it | | 1 min
testbed-tests:  ## Run the testbed's own tests | root | 2 min
integration:  ## Run every integration test in a testbed, with the charm of this checkout | root | 30 min
format lint quick unit browser conformance testbed-tests integration:
	@scripts/with-tools scripts/check $@ $(ARGS)

# What the later checks need from Go is built meanwhile.
test:  ## Run lint and the charm's tests; LONG=1 adds the slow ones, and the testbed's | root | 10 min
	@SETUP=1 scripts/with-tools true
	@scripts/with-tools python -m scripts.ahead $(MAKE) checks

# Without LONG=1, the newest Kubernetes is enough.
checks:
	@$(MAKE) lint
	@$(MAKE) unit ARGS=--cov
	@$(MAKE) lives
	@$(MAKE) conformance $(if $(LONG),,ARGS='-m "not slow"')
	@$(if $(LONG),$(MAKE) testbed-tests)
	@$(if $(LONG),,TESTBED_KUBERNETES=latest) $(MAKE) integration ARGS='-m "not $(if $(LONG),weekly,slow)"'

audit:  ## Look for published vulnerabilities of Python packages and Go programs | network | 3 min
	@scripts/with-tools scripts/check audit

watch:  ## Look for a newer default image, and for vulnerabilities of it | network | 3 min
	@scripts/with-tools python -m scripts.watch_image $(ARGS)

facts:  ## List facts about others in the docs that nobody has looked up for half a year | | 1 s
	@scripts/with-tools python -m scripts.facts $(ARGS)

lives:  ## Play whole lives of an application; MINUTES= and SEED= for long ones | | 90 s
	@scripts/with-tools nice scripts/check lives $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(ARGS)

fuzz:  ## Run the tests of properties with many more examples | | 20 min
	@scripts/with-tools nice scripts/check fuzz $(ARGS)

mutants:  ## Change FILES in one place at a time; fail if tests find less than FLOOR % | | 2 min
	@scripts/with-tools nice python scripts/mutants.py $(FILES) --floor $(FLOOR) $(if $(TESTS),--tests $(TESTS))

bench:  ## Measure what hooks, mappings and logins cost, by CA; LOAD=1: where they end | root | 5 min
	@TESTBED_KUBERNETES=1.28 scripts/lab run -- python -m benchmarks$(BENCH)

matrix:  ## Deploy minor versions of KUBERNETES, log in, upgrade each to the next | root | 1 h
	@TESTBED_KUBERNETES="$(KUBERNETES)" scripts/lab run -- python -m benchmarks.matrix $(KUBERNETES)

docs:  ## Build the documentation as a site, into build/docs | | 5 s
	@scripts/with-tools python -m scripts.reference
	@scripts/with-tools scripts/check docs
	@echo "The site is in build/docs: open build/docs/index.html"

terraform:  ## Check the Terraform module, with the tofu or terraform on PATH | network | 10 s
	@scripts/check terraform

pack:  ## Pack the charm into build/, for amd64 and arm64 or for ARCH | network | 40 s
	@scripts/charm pack $(ARCH)

release:  ## Upload what is packed to Charmhub, and release it to CHANNEL | network | 1 min
	@scripts/charm release $(CHANNEL)

lock:  ## Renew uv.lock from pyproject.toml, and requirements.txt | network | 10 s
	@scripts/lock $(ARGS)

clean:  ## Remove what was built in this folder; the cache outside it stays | | 1 s
	@rm -rf build .tox .coverage .hypothesis .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
