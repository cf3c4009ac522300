# `make demo` and `make test` need Python 3.11+ and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
REQUIRE := --require-hashes --requirement

.PHONY: demo test check format contract assets soak audit bench site dist lock clean

demo: $(VENV)/.run
	$(BIN)/tamis demo $(ARGS)

# One worker a processor; ARGS="-n 0" runs them all in one process, for a debugger.
test: $(VENV)/.dev
	$(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist worksteal $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive src scripts --severity-level medium

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Write docs/openapi.json, contract.md, stages.md, errors.md and the Python client anew from the code.
contract: $(VENV)/.dev
	$(BIN)/python -m tests.conformance.contract_table
	$(BIN)/python -m tests.reference

# Bring what pages have from npm again, as scripts/assets.toml pins them.
assets: $(VENV)/.dev
	$(BIN)/python -m scripts.assets

# The long proofs; ARGS=--quick for their short form.
soak: $(VENV)/.dev
	$(BIN)/pytest -m slow $(ARGS)

# Known vulnerabilities of the pinned packages, and dist/sbom.cdx.json. Says so where no advisory service answers.
audit: $(VENV)/.dev
	$(PIP) pip-audit cyclonedx-bom
	$(BIN)/python -m scripts.audit

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.first
	$(BIN)/python -m benchmarks.quality
	$(BIN)/python -m benchmarks.stages

# The documentation as a site in dist/site; fails where a link leads nowhere.
site: $(VENV)/.site
	$(BIN)/python -m scripts.build_site

# Wheel and source archive of HEAD, built twice and the same both times, with SHA256SUMS.
dist: $(VENV)/.dev
	$(BIN)/python -m scripts.release

# Pin again what pyproject.toml and the .in files ask for.
lock: $(VENV)/.run
	$(PIP) uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra cluster --extra code --extra evaluate --extra llm --extra media --extra otel --extra postgres --extra qdrant --extra redis --extra web --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --output-file requirements-build.lock requirements-build.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --output-file requirements-dev.lock requirements-dev.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --output-file requirements-site.lock requirements-site.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --output-file benchmarks/peers/requirements.lock benchmarks/peers/requirements.in

clean:
	rm -rf $(VENV) .cache dist

$(VENV)/.run: requirements.lock requirements-build.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Tamis needs Python 3.11 or newer; set PYTHON=...")'
	@echo "Setting up $(VENV) (once; about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) $(REQUIRE) requirements.lock $(REQUIRE) requirements-build.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@$(PIP) $(REQUIRE) requirements-dev.lock
	@touch $@

$(VENV)/.site: $(VENV)/.dev requirements-site.lock
	@$(PIP) $(REQUIRE) requirements-site.lock
	@touch $@
