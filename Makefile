# make run    the site, on this machine           make test   every check and test
# make stack  the same on PostgreSQL, Redis and nginx, two web and two worker processes; make stack-stop stops it
# make bench  figures of this machine             make load   many learners at once, against such a stack
# make soak   long runs with faults               make help   this
# PORT=8001 make run takes another port; PYTHON=python3.13 make run another Python.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
SCHEMA = simulator/core/kube/api/data/v1.35.openapi.json
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PYTHONUNBUFFERED = 1
# Dozens of processes start from the same thousand files: where the caller forbids it, compiling them again would cost each of them seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run stack stack-stop load pictures test bench soak lint types unit postgres e2e vendor clean

help:
	@sed -n '1,5p' Makefile

run: $(VENV)/.installed $(SCHEMA)
	@exec $(BIN)/python manage.py up

# PORT=8000; SLIPWAY_STACK=folder where it keeps everything (var/stack)
stack: $(VENV)/.installed $(SCHEMA)
	@exec $(BIN)/python -m tools.production up

stack-stop:
	@exec $(BIN)/python -m tools.production stop

# make load LOAD="--learners 1000 --seconds 60"
load: $(VENV)/.installed-dev $(SCHEMA)
	@exec $(BIN)/python -m tools.load $(LOAD)

test: $(VENV)/.installed-dev $(SCHEMA)
	@exec $(BIN)/python -m tools.check

# docs/images anew from today's pages, with a demo class of thirty; make pictures PICTURES="--var var/pictures replay"
pictures: $(VENV)/.installed-dev $(SCHEMA)
	@exec $(BIN)/python -m tools.pictures $(PICTURES)

bench: $(VENV)/.installed-dev $(SCHEMA)
	@exec $(BIN)/python -m tools.bench

# make soak SOAK="chaos --seconds 3600"; without words: Raft over 10,000 random schedules, ten minutes of chaos, ten of fuzz, ten of new examples for all properties
soak: $(VENV)/.installed-dev
	@exec $(BIN)/python -m tools.soak $(SOAK)

# parts of `make test`, for use while working
lint types unit postgres e2e: $(VENV)/.installed-dev $(SCHEMA)
	@exec $(BIN)/python -m tools.check $@

# Third-party front-end code into static/vendor, which is committed: the only thing that needs Node.
vendor:
	npm ci --no-audit --no-fund
	npm run --silent vendor
	npm run --silent lint

# Stamps: a second run has nothing to install until a pin changes.
$(VENV)/.installed: requirements.txt constraints.txt $(VENV)/.made
	@echo "installing requirements …"
	@$(BIN)/python -m pip install -qq -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "installing what the tests need …"
	@$(BIN)/python -m pip install -qq -r requirements-dev.txt
	@touch $@

# Types of the Kubernetes API, extracted from a pinned package instead of committed.
$(SCHEMA): scripts/extract_schema.py constraints.txt | $(VENV)/.installed
	@$(BIN)/python scripts/extract_schema.py
	@touch $@

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Slipway needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try PYTHON=python3.11 make run"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing: apt install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

clean:
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
