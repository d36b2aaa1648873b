# The two commands a newcomer needs are `make demo` and `make test`; both set everything up.

# The first Python that really starts and is new enough: a name on the path may be an empty shim.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
STAMP  := $(VENV)/.installed
# The demonstration needs neither torch nor test tools; with a model it needs torch and diffusers.
LIGHT  := $(VENV)/.demo-installed
MODEL  := $(VENV)/.model-installed
DEMO_ARGS ?=
TEST_ARGS ?=
# How many tests run at once: one more than two cores have, as tests wait for what they started.
WORKERS ?= 3
# COVERAGE=yes measures which lines the tests reach, which takes longer.
PYTEST  = $(BIN)/$(if $(COVERAGE),coverage run -m pytest,pytest) --numprocesses=$(WORKERS)

# What no Python package brings: Pango sets the text of PDF reports, the font holds Japanese, and
# the tests need a browser for the pages, and exiftool and openssl to check marks from outside.
DEBIAN_PDF     := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fontconfig fonts-noto-cjk
# What a Kitsu server stands on; `make proofs` publishes into one.
DEBIAN_KITSU   := postgresql redis-server
KITSU          := .venv-kitsu/.installed
DEBIAN_TESTS   := chromium libimage-exiftool-perl openssl

DEMO_NEEDS = $(if $(wildcard $(STAMP)),install,$(if $(findstring --model,$(DEMO_ARGS)),$(MODEL),$(LIGHT)))

# Where compiled modules are not kept, each process of a test compiles the whole house anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test proofs soak coverage check check-style check-mypy check-pyright pythons format bench train-reader install clean kitsu debian-pdf debian-tests debian-kitsu

demo: debian-pdf
	@$(MAKE) --no-print-directory $(DEMO_NEEDS)
ifneq (,$(findstring --tracker kitsu,$(DEMO_ARGS)))
	@$(MAKE) --no-print-directory kitsu
	$(PIP) --editable '.[kitsu]'
endif
	$(BIN)/haikei demo $(DEMO_ARGS)

test: install debian-pdf debian-tests
	$(PYTEST) --dist=worksteal $(TEST_ARGS)

# What takes long by its nature: a thousand layouts at once, kills in every step, interleavings.
proofs: install debian-pdf debian-tests kitsu
	$(PYTEST) --dist=loadgroup tests/proofs --timeout=1500 $(TEST_ARGS)

# Thousands of layouts through several hosts that are killed in every step; hours.
LAYOUTS ?= 2000
HOSTS   ?= 3
KILLS   ?= 30
soak: install debian-kitsu
	HAIKEI_SOAK=yes $(BIN)/pytest tests/proofs/test_chaos.py --timeout=1500
	$(BIN)/python benchmarks/soak.py --layouts $(LAYOUTS) --hosts $(HOSTS) --kills $(KILLS)

# A Kitsu server for the proofs: zou pins what it needs, so it has an environment of its own.
kitsu: debian-kitsu $(KITSU)

$(KITSU):
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check zou==1.0.97
	touch $@

# Adds up what `make test COVERAGE=yes` and `make proofs COVERAGE=yes` have measured.
coverage: install
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=90

# The two that read types take a minute each on one core: they run side by side.
check: install
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-mypy check-pyright check-style

check-mypy:
	$(BIN)/mypy

check-pyright:
	$(BIN)/pyright

check-style:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

# Checks and tests with each supported Python on the path, each in an environment of its own.
PYTHONS := 3.11 3.12 3.13
pythons:
	@for version in $(PYTHONS); do \
		if python$$version -c '' 2>/dev/null; then \
			echo "Python $$version"; \
			$(MAKE) --no-print-directory check test PYTHON=python$$version VENV=.venv-$$version || exit 1; \
		else absent="$$absent $$version"; fi; \
	done; \
	test -z "$$absent" || echo "Not on the path and not tried: Python$$absent"

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
	$(BIN)/python benchmarks/ledger.py --records 1000000
	$(BIN)/python benchmarks/measure.py
	$(BIN)/python benchmarks/fingerprint.py
	$(BIN)/python benchmarks/report.py --versions 100000
	$(BIN)/python benchmarks/summarize.py
	$(BIN)/python benchmarks/web.py
	$(BIN)/python benchmarks/gallery.py
	$(BIN)/python benchmarks/idle.py
	$(BIN)/python benchmarks/scale.py --kills 20 --frozen 2
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/reading.py

# Trains the network that reads layouts, from scenes that are drawn for it; stopped, it goes on
# where it was. At most three hours on two cores; docs/reference/reading.md.
TRAIN_ARGS ?=
train-reader: install
	nice $(BIN)/python -m haikei.training --folder training $(TRAIN_ARGS)

debian-pdf: PACKAGES = $(DEBIAN_PDF)
debian-tests: PACKAGES = $(DEBIAN_TESTS)
debian-kitsu: PACKAGES = $(DEBIAN_KITSU)
debian-pdf debian-tests debian-kitsu:
	@missing=$$(for name in $(PACKAGES); do dpkg -s $$name >/dev/null 2>&1 || echo $$name; done); \
	if test -n "$$missing" && command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
		echo "installing" $$missing; \
		{ apt-get update -qq; apt-get install -qq -y --no-install-recommends $$missing; } >/dev/null; \
	elif test -n "$$missing" && command -v dpkg >/dev/null; then \
		echo "Missing from the system: run  sudo apt-get install" $$missing; exit 1; \
	elif test -n "$$missing"; then \
		echo "This system has no dpkg: see that it brings the likes of" $$missing; \
	fi

install: $(STAMP)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Haikei needs Python 3.11 or newer: install python3.11."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The environment is one and the same: what the demonstration brought stays for `make test`.
$(LIGHT): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	touch $@

$(MODEL): $(LIGHT)
	$(PIP) torch
	$(PIP) --editable '.[diffusers]'
	touch $@

# A fresh environment's own pip may be older than 25.1, which reads no dependency groups.
$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --upgrade pip
	$(PIP) torch
	$(PIP) --group dev --editable '.[diffusers,kitsu,otel]'
	touch $@

clean:
	rm -rf $(VENV) .venv-* demo .pytest_cache .mypy_cache .ruff_cache .coverage .coverage.*
