# The two commands a newcomer needs are `make demo` and `make test`; both set everything up.

# The first Python that really starts and is new enough: a name on the path may be an empty shim.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO_ARGS ?=
TEST_ARGS ?=

.PHONY: demo test check format bench install clean

demo: install
	$(BIN)/haikei demo $(DEMO_ARGS)

test: install
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(TEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=90

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Every figure of README.md. The machine should do nothing else meanwhile.
bench: install
	$(BIN)/python benchmarks/detect.py
	$(BIN)/python benchmarks/follow.py
	$(BIN)/python benchmarks/publish.py
	$(BIN)/python benchmarks/generate.py
	$(BIN)/python benchmarks/day.py

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Haikei needs Python 3.11 or newer: install python3.11."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable '.[diffusers]' --requirement requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache .coverage .coverage.*
