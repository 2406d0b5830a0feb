# The environments are made on first use and brought up to date when what they are made from changes. All that has to
# be there is Python 3.11 or later, make and git.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# python3 if it is new enough, else the first versioned one that is.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)

# Two processes for each core, since tests wait as well; eight at most: more would only wait for the one Postgres.
PYTEST := -m pytest -n $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores > 4 ? 8 : 2 * cores)))

PIP := -m pip install --quiet --disable-pip-version-check
VENV := .venv
LOWEST := .venv-lowest

# A stamp says that an environment holds what its name says. It names this folder, because an environment that was
# copied or moved with the checkout would still run the code of the old place.
HERE := $(shell pwd | cksum | cut -d ' ' -f 1)
RUNTIME := $(VENV)/.runtime-$(HERE)
TEST := $(VENV)/.test-$(HERE)
DEV := $(VENV)/.dev-$(HERE)
BENCH := $(VENV)/.bench-$(HERE)
AUDIT := $(VENV)/.audit-$(HERE)
ADVISORIES := $(VENV)/.advisories-$(HERE)
TORTURE := $(VENV)/.torture-$(HERE)

.PHONY: help demo test test-lowest lint format statements audit advisories bench torture clean

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The store is a temporary one: the demo prints the same every time and leaves nothing behind.
demo: $(RUNTIME)  ## send to a counter, see its history, replay it, inspect it
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; trap 'exit 130' INT; \
	unset PACHYDERM_PROJECT PACHYDERM_NETWORK; \
	PACHYDERM_STORE="sqlite:///$$folder/demo.db"; PATH="$(CURDIR)/$(VENV)/bin:$$PATH"; export PACHYDERM_STORE PATH; \
	run() { printf '$$ %s\n' "$$*"; "$$@"; echo; }; \
	run pachyderm send counter:@demo increment; \
	run pachyderm send counter:@demo increment amount=2; \
	run pachyderm history counter:@demo; \
	run pachyderm replay counter:@demo --to-version 1; \
	run pachyderm inspect counter:@demo

test: $(TEST)  ## run every test, on SQLite and on a Postgres that the tests start
	$(VENV)/bin/python $(PYTEST)

test-lowest: $(LOWEST)/.test-$(HERE)  ## run every test with the lowest versions that pyproject.toml admits
	$(LOWEST)/bin/python $(PYTEST)

lint: $(DEV)  ## lint, check the format, the types and the layers
	$(VENV)/bin/python -m ruff check
	$(VENV)/bin/python -m ruff format --check
	$(VENV)/bin/python -m mypy
	$(VENV)/bin/lint-imports --no-logo

statements: $(RUNTIME)  ## compile anew what SQLite is told, after a change of a statement or a table
	$(VENV)/bin/python -m pachyderm_cli.store.statements

format: $(DEV)  ## mend what ruff can mend by itself
	$(VENV)/bin/python -m ruff check --fix
	$(VENV)/bin/python -m ruff format

audit: $(AUDIT)  ## look for what is unsafe in the source; needs no network
	$(VENV)/bin/python -m bandit --quiet --recursive --configfile pyproject.toml pachyderm_cli

# Not a part of CI, since what it says changes by itself, and it fails where nobody can be asked.
advisories: $(ADVISORIES)  ## ask whether a pinned version was withdrawn, or has a known vulnerability
	$(VENV)/bin/python -m tests.security.withdrawn constraints.txt
	$(VENV)/bin/python -m pip_audit --strict --disable-pip --no-deps --requirement constraints.txt

# QUICK=1 for less than two minutes; ONLY='one-sender-sqlite startup' for some figures.
bench: $(BENCH)  ## measure beside the raw drivers and a peer (QUICK=1: smaller; ONLY="NAME …": some of it)
	$(VENV)/bin/python -m benchmarks $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

# QUICK=1 for a small part of each; SEED=7 for the chances of an earlier run; REQUIRE=1 where nothing may be left out for
# want of a mount, a fuzzer or a library. What is not QUICK is written into docs/reliability.md.
torture: $(TORTURE)  ## kill it, cut its power, and judge what is left (QUICK=1: smaller; ONLY="NAME …": some of it)
	$(VENV)/bin/python -W ignore -m torture $(if $(QUICK),--quick) $(if $(SEED),--seed $(SEED)) \
		$(if $(REQUIRE),--require) $(if $(ONLY),--only $(ONLY))

clean:  ## remove the environments and whatever else was made
	rm -rf $(VENV) $(LOWEST) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): $(VENV)/.made-$(HERE) pyproject.toml constraints.txt
	$(call install,$(VENV),constraints.txt,.)

$(TEST): $(RUNTIME)
	$(call install,$(VENV),constraints.txt,.[test])

$(DEV): $(TEST)
	$(call install,$(VENV),constraints.txt,.[dev])

$(AUDIT): $(RUNTIME)
	$(call install,$(VENV),constraints.txt,.[audit])

$(ADVISORIES): $(RUNTIME)
	$(call install,$(VENV),constraints.txt,.[advisories])

$(BENCH): $(TEST)
	$(call install,$(VENV),constraints.txt,.[bench])

$(TORTURE): $(TEST)
	$(call install,$(VENV),constraints.txt,.[torture])

$(LOWEST)/.test-$(HERE): $(LOWEST)/.made-$(HERE) pyproject.toml constraints.txt constraints-lowest.txt
	@# The first pin of a name counts.
	@awk -F == '!seen[$$1]++' constraints-lowest.txt constraints.txt > $(LOWEST)/constraints.txt
	$(call install,$(LOWEST),$(LOWEST)/constraints.txt,.[test])

# $(call install,ENVIRONMENT,CONSTRAINTS,WHAT): the build uses the pinned setuptools of the environment, not the newest.
define install
	@echo "installing $(3) into $(1) ..." >&2
	@$(1)/bin/python $(PIP) --constraint $(2) setuptools
	@$(1)/bin/python $(PIP) --constraint $(2) --no-build-isolation --editable '$(3)'
	@touch $@
endef

%/.made-$(HERE):
	@if [ -z "$(PYTHON)" ]; then \
		echo "Pachyderm needs Python 3.11 or later, and none was found; say where one is: make PYTHON=/path/to/python3" >&2; \
		exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "$(PYTHON) is too old: Pachyderm needs Python 3.11 or later")'
	@"$(PYTHON)" -m venv --clear $*
	@touch $@
