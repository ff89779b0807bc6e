# The one door to everything. `make` alone says what there is.
# Needs GNU make, git and Python 3.11 or newer; uses uv where it is installed, plain pip where it is not.

# Machines that set this variable make Python compile every library again at every start; empty means: keep what was compiled.
export PYTHONDONTWRITEBYTECODE =

# mkdocs-material announces its successor at every build; docs/why/dependencies.md says what we know about that.
export NO_MKDOCS_2_WARNING = 1

# Any Python from 3.11 on; `make setup PYTHON=python3.13` picks one.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
# How many tests run at the same time.
JOBS ?= 2
# Tests of whole runs, engines and servers: measuring coverage makes them half as long again, and the others cover the same lines.
WHOLE := engines hostile live path serve
# Events of the benchmark (empty: 30 million, for bench-history 120 million), and how many days it repeats.
EVENTS ?=
REPEAT ?= 3
# Options of bench-serve; `python -m benchmarks.serve --help` has them.
SERVE ?=

BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types imports unused manual house docs format lock bench bench-history bench-handoffs bench-serve
.DELETE_ON_ERROR:
.NOTPARALLEL:

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## install everything into .venv (the other targets do it by themselves)

$(READY): pyproject.toml uv.lock requirements.lock
	@if command -v uv >/dev/null 2>&1; then \
		echo "setup: uv installs the locked packages into .venv"; \
		uv sync --frozen --quiet; \
	else \
		if [ ! -x $(BIN)/python ]; then \
			[ -n "$(PYTHON)" ] || { echo "setup: no Python 3.11 or newer found; name one with PYTHON=…" >&2; exit 1; }; \
			echo "setup: $(PYTHON) makes .venv"; \
			"$(PYTHON)" -m venv .venv || { rm -rf .venv; echo "setup: Debian and Ubuntu need the package python3-venv" >&2; exit 1; }; \
		fi; \
		$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null || exit 1; \
		echo "setup: pip installs the locked packages into .venv (a minute or two the first time)"; \
		$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --requirement requirements.lock && \
		$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --editable .; \
	fi
	@touch $@

demo: $(READY) ## simulate a company, score it and show the result
	@$(BIN)/handraise demo

test: check ## check, then all tests, with coverage
	@echo "pytest: tests, $(JOBS) at a time, with branch coverage"
	@$(BIN)/pytest --quiet --numprocesses $(JOBS) --dist loadfile --cov --cov-report=term $(WHOLE:%=--ignore=tests/%)
	@echo "pytest: tests of whole runs, engines and servers, $(JOBS) at a time"
	@$(BIN)/pytest --quiet --numprocesses $(JOBS) --dist loadfile $(WHOLE:%=tests/%)

check: lint types imports unused manual house ## lint, formatting, types, import rules, dead code, docs, house style (-k: all faults)

lint: $(READY)
	@echo "check: lint and formatting (ruff)"
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "run: make format" >&2; exit 1; }

types: $(READY)
	@echo "check: types (mypy)"
	@$(BIN)/mypy --no-error-summary

imports: $(READY)
	@echo "check: who may import whom (import-linter)"
	@$(BIN)/lint-imports --no-logo

unused: $(READY)
	@echo "check: dead code (vulture)"
	@$(BIN)/vulture

manual: $(READY)
	@echo "check: documentation builds without a warning (mkdocs)"
	@$(BIN)/mkdocs build --strict --quiet

house: $(READY)
	@echo "check: house style, documentation of everything, locks and pins (tests/house)"
	@$(BIN)/pytest --quiet tests/house

docs: manual ## build the documentation into site/
	@echo "docs: open site/index.html"

format: $(READY) ## put imports and layout in order, mend what ruff can mend safely
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format --quiet

lock: ## after a change of dependencies in pyproject.toml: lock them again (needs uv)
	@uv lock
	@{ echo '# Made from uv.lock by `make lock`, for machines without uv. Do not edit by hand.'; \
		uv export --frozen --no-hashes --no-emit-project --no-header --no-annotate --quiet; } > requirements.lock
	@echo "lock: uv.lock and requirements.lock are new"

bench: $(READY) ## measure speed and memory, print the table; EVENTS=3000000 for a smaller company
	@$(BIN)/python -m benchmarks --repeat $(REPEAT) $(if $(EVENTS),--events $(EVENTS))

bench-history: $(READY) ## the same with 720 days of history, against its last 180
	@$(BIN)/python -m benchmarks --history --repeat $(REPEAT) $(if $(EVENTS),--events $(EVENTS))

bench-handoffs: $(READY) ## a night of decisions about 100,000 accounts, many who claim one handoff, and an outbox among failures
	@status=0; for what in deciding claims outbox; do $(BIN)/python -m benchmarks.$$what || status=1; done; exit $$status

bench-serve: $(READY) ## load, kill and attack a server, print the table; SERVE="--phases burst --seconds 60" for less
	@$(BIN)/python -m benchmarks.serve $(SERVE)
