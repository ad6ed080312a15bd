# Needs Python 3.11 or later with venv, and make. Everything goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
JOBS ?= auto

.PHONY: demo install test lint types imports unit proofs proofs-quick bench docs wheel clean

demo: .venv/base
	$(BIN)/python examples/breast_cancer.py demo/breast_cancer.csv
	$(BIN)/unusual scan demo/breast_cancer.csv --id sample --label malignant --budget 15 --html demo/report.html
	@echo "open demo/report.html in a browser; next: $(BIN)/unusual scan YOUR.csv --html report.html"

# torch first, by pip: uv would pick a build of several gigabytes
install: .venv/base
	$(BIN)/pip install --quiet torch==2.13.0
	$(UV) -e '.[deep,dev,docs]'
	@touch .venv/dev

test: lint types imports unit

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .

types: .venv/dev
	$(BIN)/mypy

imports: .venv/dev
	$(BIN)/lint-imports

unit: .venv/dev
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report=term:skip-covered

proofs: .venv/dev
	$(BIN)/python -m proofs $(NAME)

proofs-quick: .venv/dev
	$(BIN)/python -m proofs --quick

bench: .venv/dev
	$(BIN)/python -m benchmarks $(NAME)

docs: .venv/dev
	$(UV) -e '.[docs]'
	$(BIN)/python -m docs.build
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir site

wheel: .venv/dev
	$(BIN)/python -m build --wheel

.venv/uv:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	@touch $@

.venv/base: .venv/uv pyproject.toml $(wildcard setup.py src/unusual/kernels/csrc/*)
	$(UV) -e .
	@touch $@

.venv/dev: .venv/base
	$(UV) -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv build dist site demo .coverage src/*.egg-info src/unusual/kernels/*.so
