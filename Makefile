# Each target sets up what it needs: a fresh machine has python3, make and a package index.
PYTHON ?= python3
BIN := .venv/bin
SYNCED := .venv/.synced

.PHONY: demo test lint bench lock format clean

demo: $(SYNCED)
	@$(BIN)/leanbe-emitter demo --output table

test: lint
	$(BIN)/pytest -n auto

lint: $(SYNCED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

bench: $(SYNCED)
	$(BIN)/python -m benchmarks

format: $(SYNCED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: $(SYNCED)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --all-extras --group dev --no-emit-index-url \
		--no-header --no-annotate --python-version 3.11 pyproject.toml -o requirements.lock

$(SYNCED): requirements.lock pyproject.toml
	@echo "Setting up .venv: the versions of requirements.lock, checked by hash"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		"$$(sed -n 's/^\(uv==[0-9.]*\).*/\1/p' requirements.lock)"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(SYNCED)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
