# The interface of this repository: `make up`, `make test`. Arguments go through ARGS="...".
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Running needs less than testing and checking, and a first `make up` should not wait for the rest.
SANDBOX := $(VENV)/.installed-sandbox
INSTALLED := $(VENV)/.installed
ARGS ?=

# Some machines set it; child processes would then start twice as slowly.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help up watch down test check format lock schema bench soak

help:  ## List these targets.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

up: $(SANDBOX)  ## Bring the whole program up on the embedded AWS. ARGS="--stack prod"
	@$(BIN)/python -m sandbox up $(ARGS)

watch: $(SANDBOX)  ## As up, then stream logs and apply what is saved. Ctrl-C ends it.
	@$(BIN)/python -m sandbox watch $(ARGS)

down: $(SANDBOX)  ## End the embedded AWS; nothing is left.
	@$(BIN)/python -m sandbox down $(ARGS)

# A file's tests stay in one process: they share a sandbox, or a run of the program.
test: $(INSTALLED)  ## Run all tests. ARGS="tests/settings -x"
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

check: $(INSTALLED)  ## Format, lint, types, generated files.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python -m tools.schema --check
	$(BIN)/python -m tools.openapi --check
	$(BIN)/python -m tools.picture --check
	$(BIN)/python -m tools.dashboard --check
	$(BIN)/python -m tools.costs --check

format: $(INSTALLED)  ## Let ruff mend what it can.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: $(INSTALLED)  ## Write stack.schema.json, the references of all settings, openapi.json, the pictures and the costs anew.
	$(BIN)/python -m tools.schema
	$(BIN)/python -m tools.openapi
	$(BIN)/python -m tools.picture
	$(BIN)/python -m tools.dashboard
	$(BIN)/python -m tools.costs

bench: $(INSTALLED)  ## Print the figures of docs/performance.md.
	$(BIN)/python -m benchmarks $(ARGS)

soak: $(INSTALLED)  ## Send 10,000 orders, poison, crashing and repeated ones among them; nothing may be lost. ARGS="2000"
	@$(BIN)/python -m benchmarks.soak $(ARGS)

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"

# A layer's lock serves every runtime, so it holds one version of each package. Registry addresses stay out of it.
lock:  ## Resolve both locks and the layers' locks anew (needs uv and npm).
	$(LOCK) --output-file requirements.lock requirements-dev.txt
	$(LOCK) --constraint requirements.lock --output-file requirements-sandbox.lock requirements-sandbox.txt
	for wanted in layers/*/requirements.in; do \
		$(LOCK) --fork-strategy fewest --output-file "$${wanted%.in}.txt" "$$wanted" || exit 1; \
	done
	for wanted in layers/*/package.json; do \
		(cd "$${wanted%/*}" && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved) || exit 1; \
	done

$(SANDBOX): requirements-sandbox.lock
	@$(PYTHON) tools/install.py $(VENV) requirements-sandbox.lock
	@touch $@

# The larger lock holds the smaller one.
$(INSTALLED): requirements.lock requirements-sandbox.lock
	@$(PYTHON) tools/install.py $(VENV) requirements.lock
	@touch $(SANDBOX) $@
