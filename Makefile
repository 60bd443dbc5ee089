.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
AUDIT  := .venv-audit
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

.PHONY: help demo test lint bench eval soak train-categories audit sbom lock

help:
	@echo "make demo   index the bundled sample and serve it"
	@echo "make test   lint, types and all tests"
	@echo "make lint   ruff, mypy, import-linter"
	@echo "make eval   relevance, extraction and entity figures on ../shared/corpus"
	@echo "make bench  speed and memory, as ratios"
	@echo "make soak   the long forms of the tests"
	@echo "make audit  known vulnerabilities of the dependencies; where nobody answers, it fails"
	@echo "make sbom   the bill of materials of a release, CycloneDX, into dist/"
	@echo "make train-categories   the weights of predicted categories, from ../shared/corpus"

# The stamps make a second run a matter of seconds.
$(VENV)/.run: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.dev
	$(BIN)/pip install --quiet --require-hashes -r requirements-bench.txt
	@touch $@

$(VENV)/.train: requirements-train.txt $(VENV)/.run
	$(BIN)/pip install --quiet --require-hashes -r requirements-train.txt
	@touch $@

$(VENV)/.eval: requirements-eval.txt $(VENV)/.dev
	$(BIN)/pip install --quiet --require-hashes -r requirements-eval.txt
	@touch $@

# Apart from the rest: what looks at the dependencies is none of them.
$(AUDIT)/.run: requirements-audit.txt
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/pip install --quiet --require-hashes -r requirements-audit.txt
	@touch $@

demo: $(VENV)/.run
	$(BIN)/anwen demo

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/pytest --numprocesses=2 --dist=loadscope --no-loadscope-reorder

eval: $(VENV)/.eval
	$(BIN)/python -m tests.relevance

bench: $(VENV)/.bench
	$(BIN)/python -m tests.benchmarks

soak: $(VENV)/.dev
	$(BIN)/pytest --soak

audit: $(AUDIT)/.run
	@$(PYTHON) -m tests.audit $(AUDIT)/bin/pip-audit requirements.txt

sbom: $(AUDIT)/.run
	@mkdir -p dist
	@$(AUDIT)/bin/python -W ignore $(AUDIT)/bin/cyclonedx-py requirements requirements.txt \
		--pyproject pyproject.toml --of JSON --output-reproducible -o dist/anwen-$(VERSION).cdx.json
	@echo dist/anwen-$(VERSION).cdx.json

train-categories: $(VENV)/.train
	$(BIN)/python -m index.categories.training ../shared/corpus

lock:
	uv pip compile pyproject.toml --extra fast --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -q -o requirements.txt
	uv pip compile pyproject.toml --extra fast --extra opensearch --group dev -c requirements.txt --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-dev.txt
	uv pip compile --group bench --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-bench.txt
	uv pip compile --group train -c requirements-dev.txt --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-train.txt
	uv pip compile --group eval -c requirements-dev.txt --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-eval.txt
	uv pip compile --group audit --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-audit.txt
