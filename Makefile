# `make audit` is the main job, `make test` is everything; both make the environment first.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TARGET ?= reference_service
OUT ?= out/audit
PHASE_VERIFY ?= build
REPOS ?=
FUZZ_EXAMPLES ?= 1500
SERVICE_TESTS := tests/corpus/test_reference_service.py tests/corpus/test_reference_fix.py

# A program can be on PATH as a shim that has nothing behind it, so each is run, not looked up.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
UV ?= $(shell for u in uv .uv/bin/uv; do $$u --version >/dev/null 2>&1 && echo $$u && break; done)
GO = $$($(BIN)/python -m audit_lib.read.gotool)
# nbval loads a Jupyter client into every worker; only the notebooks need it.
PYTEST := $(BIN)/python -m pytest -p no:nbval -p no:anyio

# Never the caller's own environment, and no other toolchain than the one that was found.
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/$(VENV)
# The system decides which certificates are trusted, for uv as for pip and Go: some networks have their own.
export UV_SYSTEM_CERTS ?= 1
export GOTOOLCHAIN := local
unexport VIRTUAL_ENV

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(READY) ## make the environment in .venv, with Go when there is none

$(READY): pyproject.toml uv.lock
	@if [ -n "$(UV)" ]; then uv="$(UV)"; \
	elif [ -n "$(PYTHON)" ]; then $(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv && uv=.uv/bin/uv; \
	else echo "make setup: Python 3.11 or newer with venv is needed, or uv; install one of them" >&2; exit 2; fi; \
	$$uv sync --frozen --quiet $(if $(PYTHON),--python "$(PYTHON)"); \
	$(BIN)/python -m audit_lib.read.gotool >/dev/null 2>&1 || $$uv sync --frozen --quiet --group go
	@touch $@

# The whole fix is tested; phases, which come to the same, are built and vetted, unless PHASE_VERIFY=test.
.PHONY: audit
audit: setup ## audit TARGET (the reference service), and fix a copy of it, whole and phase by phase, into OUT
	$(BIN)/ctxaudit run audit --target "$(TARGET)" --out "$(OUT)"
	$(BIN)/ctxaudit run fix --target "$(TARGET)" --out "$(OUT)/fix"
	$(BIN)/ctxaudit run fix --each-phase --verify $(PHASE_VERIFY) --target "$(TARGET)" --out "$(OUT)/phases"

.PHONY: lab
lab: setup ## open JupyterLab on the notebooks
	$(BIN)/ctxaudit lab

.PHONY: test
test: lint go-test test-fast test-slow test-service ## everything: style, types, all tests; a skipped test fails

.PHONY: lint
lint: setup ## style and types of the Python and the Go code
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@go=$(GO); for folder in audit_lib/gofacts reference_service; do \
		unformatted=$$($$($$go env GOROOT)/bin/gofmt -l $$folder); \
		if [ -n "$$unformatted" ]; then echo "not gofmt'ed:" $$unformatted >&2; exit 1; fi; \
		(cd $$folder && echo "go vet $$folder" && $$go vet ./...); \
	done

.PHONY: go-test
go-test: setup ## the tests of gofacts
	go=$(GO); cd audit_lib/gofacts && $$go test ./...

.PHONY: test-fast
test-fast: setup ## the tests that need neither kernel nor browser
	$(PYTEST) -n auto -m "not slow"

.PHONY: test-slow
test-slow: setup chromium strace ## the tests that run kernels, a browser and the corpus, and every notebook
	$(PYTEST) -n auto -m slow $(SERVICE_TESTS:%=--ignore %)
	$(BIN)/python -m pytest -p tests.conftest --nbval-lax notebooks

# By themselves: the service's tests look at the clock, and bring a ClickHouse server.
.PHONY: test-service
test-service: setup ## test the reference service beside ClickHouse: TestPropagation fails before a fix alone
	$(PYTEST) $(SERVICE_TESTS)

.PHONY: service
service: setup ## run the reference service with sample data, and say what to try
	@go=$(GO); $(MAKE) --no-print-directory -C reference_service run GO=$$go

.PHONY: corpus
corpus: setup ## scan every package the reference service depends on, or fix them (ARGS=--fix)
	@$(BIN)/python -m benchmarks.corpus $(ARGS)

.PHONY: bench
bench: setup ## time and memory on real repositories in REPOS, against other tools
	@[ -n "$(REPOS)" ] || { echo "make bench: name the folder of the clones: REPOS=DIR" >&2; exit 2; }
	@$(BIN)/python -m benchmarks.bench "$(REPOS)" $(ARGS)

.PHONY: parity
parity: setup ## compare verdicts with what people decided, on the clones in REPOS
	@[ -n "$(REPOS)" ] || { echo "make parity: name the folder of the clones: REPOS=DIR" >&2; exit 2; }
	@$(BIN)/python -m benchmarks.parity "$(REPOS)" $(ARGS)

.PHONY: people
people: setup ## hold fixes against people's commits, on the clones in REPOS
	@[ -n "$(REPOS)" ] || { echo "make people: name the folder of the clones: REPOS=DIR" >&2; exit 2; }
	@$(BIN)/python -m benchmarks.people "$(REPOS)" $(ARGS)

.PHONY: fuzz
fuzz: setup ## try mutated inputs for ten minutes: an answer or one line, nothing written (FUZZ_EXAMPLES for each kind)
	CTXAUDIT_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(PYTEST) -n auto tests/hostile/test_fuzz.py
	go=$(GO); cd audit_lib/gofacts && $$go test -run '^$$' -fuzz FuzzFacts -fuzztime 120s .

.PHONY: kills
kills: setup ## end 200 writes with SIGKILL at random moments, and see that no target is torn (ARGS="--kills N")
	@$(BIN)/python -m benchmarks.kills $(ARGS)

.PHONY: chromium
chromium:
	@for browser in chromium chromium-browser google-chrome; do \
		command -v $$browser >/dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq chromium >/dev/null; \
	else echo "make test: the browser tests need Chromium; install it (Debian: sudo apt-get install chromium)" >&2; exit 2; fi

.PHONY: strace
strace:
	@command -v strace >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq strace >/dev/null; \
	else echo "make test: the tests of what is read and run need strace; install it (Debian: sudo apt-get install strace)" >&2; \
		exit 2; fi

.PHONY: clean
clean: ## remove what tests and runs left; the environment stays
	rm -rf out runs build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
