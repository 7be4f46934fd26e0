# Each target sets up what it needs: a fresh machine has python3, make and a package index.
PYTHON ?= python3
BIN := .venv/bin
SYNCED := .venv/.synced
# Each example is a folder to copy, with modules of its own: it is checked as one, from inside, and named
# by its whole path, so that the cache of all else serves it, too: most of the time goes into libraries.
EXAMPLES := $(dir $(wildcard examples/*/conftest.py))
MYPY_OF_EXAMPLES := --config-file $(CURDIR)/pyproject.toml --cache-dir $(CURDIR)/.mypy_cache
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--no-header --no-annotate --python-version 3.11

# The tests start Python a thousand times. Each start is twice as long where it may keep nothing of what
# it compiles, and some machines say so to all that run there.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo serve test test-fast prove lint types rules bench lock format clean

demo: $(SYNCED)
	@$(BIN)/leanbe-emitter demo --output table

serve: $(SYNCED)
	@$(BIN)/leanbe-emitter serve --ephemeral --clock manual --seed-file examples/seed.yaml \
		--receiver Globex

# A worker without tests takes some of those that wait behind long ones.
PYTEST := $(BIN)/pytest -n auto --dist worksteal

# What every change has to pass: the gates, and all tests that do not take long.
test: lint
	$(PYTEST) -m "not prove"

# For the loop while working: no PostgreSQL, no processes as users run them.
test-fast: $(SYNCED)
	$(PYTEST) -m "not prove and not postgresql" tests/unit tests/integration

# What takes long, and each property once more with all of its examples.
prove: $(SYNCED)
	$(PYTEST) -m "prove or hypothesis" --hypothesis-profile=prove

# Two at a time: the longer one, and all others.
lint: $(SYNCED)
	@$(MAKE) --no-print-directory --output-sync --jobs 2 types rules

types:
	$(BIN)/mypy --num-workers 2
	for each in $(EXAMPLES); do (cd $$each && $(CURDIR)/$(BIN)/mypy $(MYPY_OF_EXAMPLES) $(CURDIR)/$$each) || exit; done

rules:
	$(BIN)/basedpyright
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/deptry .

# The measures of benchmarks/README.md; BENCH="--only delivery --json FILE" for some of them. They run on
# the quickest Python that is found: builds of one version differ by half.
BENCH_PYTHON ?= $(shell $(BIN)/python -m benchmarks.interpreters)
bench: $(SYNCED)
	@$(BIN)/python -m benchmarks --python $(BENCH_PYTHON) $(BENCH)

format: $(SYNCED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: $(SYNCED)
	$(BIN)/$(COMPILE) --all-extras --group dev pyproject.toml -o requirements.lock
	$(BIN)/$(COMPILE) --group bench -c requirements.lock -o requirements-bench.lock
	$(BIN)/$(COMPILE) --extra postgres --group image -c requirements.lock pyproject.toml -o requirements-image.lock

$(SYNCED): requirements.lock pyproject.toml
	@echo "Setting up .venv: the versions of requirements.lock, checked by hash"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		"$$(sed -n 's/^\(uv==[0-9.]*\).*/\1/p' requirements.lock)"
	@$(BIN)/uv pip sync --quiet --compile-bytecode \
		--python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(SYNCED)

clean:
	rm -rf .venv .venv-bench-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
