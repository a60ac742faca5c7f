# The first two targets are all that a fresh machine needs: each sets up what it uses.
PYTHON ?= python3.11
PYTHON313 ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python) $(shell command -v python3.13))
OUT ?= out
PRESET ?= fast
COUNT ?= 20
BIN = $(if $(filter Windows_NT,$(OS)),Scripts,bin)
VENV = .venv/$(BIN)/python
BPY45 = .venv-bpy45/$(BIN)/python
BPY52 = .venv-bpy52/$(BIN)/python
BPY53 = .venv-bpy53/$(BIN)/python
BLENDERS = .venv-bpy45/ready $(if $(PYTHON313),.venv-bpy52/ready .venv-bpy53/ready)
# Two cores and tests of unlike lengths: whoever has nothing left takes over from the other.
PYTEST = OMP_NUM_THREADS=1 $(1) -m pytest -n auto --dist worksteal
GROUP = $(VENV) -c "import sys, tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups'][sys.argv[1]], sep='\n')"

.PHONY: demo check test lint style types test-types mutate fuzz drill bench figures docs kernels encoder viewer extension wheel locks clean

demo: .venv/ready .venv-bpy45/ready  ## footage to splats in Blender: out/demo (VIDEO=file, CAPTURE=folder, PRESET=fast)
	$(BPY45) demo/run.py --compute $(VENV) --out $(OUT)/demo --video "$(VIDEO)" --capture "$(CAPTURE)" --preset $(PRESET)

check: .venv/dev  ## before every commit: format, lint, types, and the tests that start no process and train nothing for long
	$(MAKE) -j2 lint
	$(call PYTEST,$(VENV)) tests --ignore tests/blender -m "not process and not whole"

test:  ## every test, in the backend's Python and in Blender 4.5 and 5.3; a few in 5.2
	$(MAKE) -j2 .venv/dev $(BLENDERS)
	$(MAKE) -j2 lint
	$(call PYTEST,$(VENV)) tests --ignore tests/blender
	$(call PYTEST,$(BPY45)) tests/blender
	$(if $(PYTHON313),$(call PYTEST,$(BPY53)) tests/blender,@echo "Python 3.13 not found: Blender 5.3 is not tested")
	$(if $(PYTHON313),$(call PYTEST,$(BPY52)) tests/blender -m smoke,@echo "Python 3.13 not found: Blender 5.2 is not tested")

lint: style types test-types

style: .venv/dev
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .

types: .venv/dev
	$(VENV) tests/helpers/check_types.py

test-types: .venv/dev
	$(VENV) -m mypy --config-file tests/mypy.ini --exclude '^tests/(benchmarks|drill|fuzz)/' tests
	$(VENV) -m mypy --config-file tests/mypy.ini -p tests.benchmarks -p tests.drill -p tests.fuzz

mutate: .venv/dev  ## the share of small mistakes in the code that its tests notice (FILES="backend/formats/ply.py": in these alone; FILES=--all: every one, not 60 a file)
	OMP_NUM_THREADS=1 $(VENV) -m tests.mutation $(FILES)

fuzz: .venv/dev  ## hostile input for every reader, and for the kernels under sanitizers: SECONDS=600 of CPU time, SEED=0, ONLY=splats,capture
	OMP_NUM_THREADS=1 $(VENV) -m tests.fuzz --seconds $(or $(SECONDS),600) --seed $(or $(SEED),0) --only "$(ONLY)" --out $(OUT)/fuzz

drill: .venv/dev $(BLENDERS)  ## kills, frozen workers, full disks, hostile files, other cores, crowded scenes: out/drill (SECTIONS="kills same", COUNT=20)
	OMP_NUM_THREADS=1 $(VENV) -m tests.drill $(SECTIONS) --count $(COUNT)

bench: .venv/dev  ## the figures of README and issues: ROOM=gaussians|suite|flowmap|cameras|splats|splats_away|splats_refined|splat_mesh|blender_light|semantics|lerf_ovs|replica|scannet|small_clip|talking|dynamic_mesh|boundary|boundary_fit for one room
	$(VENV) -m tests.benchmarks $(ROOM)

figures: .venv/dev  ## the page of figures: what lies in out/bench goes to docs/figures, and docs/figures.md is made of that
	$(VENV) docs/make_figures.py
	$(VENV) docs/make_drills.py

docs: .venv/dev .venv-docs/ready  ## the manual, to out/site; links and code fences are checked
	$(VENV) docs/make_command_line.py
	$(VENV) docs/make_figures.py
	$(VENV) docs/make_drills.py
	$(VENV) docs/check_fences.py
	.venv-docs/$(BIN)/sphinx-build -W --keep-going -q -b html docs $(OUT)/site

kernels: .venv/tools  ## the CPU kernels' wheels for every platform
	$(VENV) backend/gaussians/native/build.py --all

encoder: .venv/ready  ## the weights of the ears that come along, taught anew on synthesised speech
	$(VENV) -m backend.talking_head.speech.build_encoder
	$(VENV) -m backend.talking_head.speech.build_encoder --robust

viewer:  ## the viewer of web pages, from its package (npm), held against a hash
	$(PYTHON) backend/formats/splats/viewer/fetch.py

extension: kernels .venv-bpy45/ready  ## the zip that Blender installs, built and validated by Blender's own tool
	mkdir -p $(OUT)
	$(BPY45) .venv-bpy45/lib/python3.*/site-packages/bpy/4.5/scripts/addons_core/bl_pkg/cli/blender_ext.py build --source-dir . --output-dir $(OUT)
	$(BPY45) .venv-bpy45/lib/python3.*/site-packages/bpy/4.5/scripts/addons_core/bl_pkg/cli/blender_ext.py validate $(OUT)/splatsmith-*.zip

wheel: .venv/dev  ## the backend alone as a package: splatsmith-*.whl in out/wheels
	$(VENV) -m pip wheel -q --disable-pip-version-check --no-deps --wheel-dir $(OUT)/wheels .

locks: .venv/dev  ## wheels/*.txt from pyproject.toml; TORCH_CPU names a wheel of torch's Linux CPU build
	$(VENV) wheels/make_locks.py --torch-cpu $(TORCH_CPU)

clean:
	rm -rf .venv .venv-docs .venv-bpy45 .venv-bpy52 .venv-bpy53 out build wheels/*.whl

# ---- environments. The locked torch for Linux is its CPU build: pip finds it where it lies at hand, uv where it does not.
.venv/packages: wheels/cpu.txt
	$(PYTHON) -m venv .venv
	$(VENV) -m pip install -q --disable-pip-version-check --require-hashes -r wheels/cpu.txt || \
	($(VENV) -m pip install -q --require-hashes -r wheels/uv.txt && \
	 .venv/$(BIN)/uv pip install --python $(VENV) --torch-backend=cpu --require-hashes -r wheels/cpu.txt)
	touch $@

.venv/tools: .venv/packages pyproject.toml
	$(GROUP) build > .venv/build.txt
	$(VENV) -m pip install -q --disable-pip-version-check -r .venv/build.txt
	touch $@

.venv/ready: .venv/tools backend/gaussians/native/splat_kernels.cpp backend/gaussians/native/build.py
	$(VENV) backend/gaussians/native/build.py
	$(VENV) -m pip install -q --disable-pip-version-check --no-index --no-deps --force-reinstall --find-links wheels splatsmith-kernels || true
	touch $@

.venv/dev: .venv/ready pyproject.toml
	$(GROUP) dev > .venv/dev.txt
	$(VENV) -m pip install -q --disable-pip-version-check -r .venv/dev.txt
	touch $@

.venv-bpy45/ready: Makefile
	$(PYTHON) -m venv .venv-bpy45
	.venv-bpy45/$(BIN)/python -m pip install -q --disable-pip-version-check bpy==4.5.15 pytest==9.2.0 pytest-timeout==2.4.0 pytest-xdist==3.8.0
	touch $@

.venv-bpy52/ready: Makefile
	$(PYTHON313) -m venv .venv-bpy52
	.venv-bpy52/$(BIN)/python -m pip install -q --disable-pip-version-check bpy==5.2.3 pytest==9.2.0 pytest-timeout==2.4.0 pytest-xdist==3.8.0
	touch $@

.venv-bpy53/ready: Makefile
	$(PYTHON313) -m venv .venv-bpy53
	.venv-bpy53/$(BIN)/python -m pip install -q --disable-pip-version-check bpy==5.3.0 pytest==9.2.0 pytest-timeout==2.4.0 pytest-xdist==3.8.0
	touch $@

.venv-docs/ready: pyproject.toml
	$(PYTHON) -m venv .venv-docs
	$(PYTHON) -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['docs'], sep='\n')" > .venv-docs/docs.txt
	.venv-docs/$(BIN)/python -m pip install -q --disable-pip-version-check -r .venv-docs/docs.txt
	touch $@
