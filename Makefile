# Easel's commands. Everything they need is made by scripts/bootstrap.sh in .venv, once.
# Written for the make 3.81 that macOS ships as well as for newer ones.

PY := .venv/bin/python
ARGS ?=
JOBS ?= 2
PYTEST = OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(PY) -m pytest -q -n $(or $(JOBS),2) --dist loadfile

.PHONY: run test test-full check fmt screenshots bench coreml-full dmg package-test package-wheels

run: ## open the window
	@sh scripts/bootstrap.sh run
	@$(PY) -m app $(ARGS)

test: ## every contract at reduced counts: at most 10 minutes on two cores
	@sh scripts/bootstrap.sh test
	$(PYTEST) -m "not slow" $(ARGS)

test-full: ## everything, with the long tests and more examples: at most 40 minutes on two cores
	@sh scripts/bootstrap.sh test
	$(PYTEST) --hypothesis-profile=full $(ARGS)

check: ## format, lint, types and layering
	@sh scripts/bootstrap.sh check
	$(PY) -m ruff format --check
	$(PY) -m ruff check
	$(PY) -m mypy --strict app
	.venv/bin/lint-imports

fmt: ## bring the code into its form
	@sh scripts/bootstrap.sh check
	$(PY) -m ruff format
	$(PY) -m ruff check --fix

screenshots: ## draw the window's states into docs/screenshots
	@sh scripts/bootstrap.sh run
	QT_QPA_PLATFORM=offscreen $(PY) -m app.ui.screenshots docs/screenshots

bench: ## the numbers; ARGS="startup --json" picks one
	@sh scripts/bootstrap.sh run
	@$(PY) -m app bench $(ARGS)

coreml-full: ## Stable Diffusion 1.5's size to Core ML, executed: a quarter of an hour, 12 GB of disk
	@sh scripts/bootstrap.sh run
	@$(PY) -m app bench convert --full $(ARGS)

dmg: ## the .dmg on a Mac, its Linux half elsewhere; ARGS="--identity NAME --notary-profile NAME"
	@sh scripts/bootstrap.sh packaging
	@./build_dmg.sh $(ARGS)

package-test: ## what a changed lock, spec or entry point has to pass: freeze, self-test, size, start
	@sh scripts/bootstrap.sh packaging
	./build_dmg.sh $(ARGS)
	$(PY) packaging/check_frozen.py

package-wheels: ## download what the lock for the Mac names (320 MB) and look every binary over
	@sh scripts/bootstrap.sh packaging
	$(PY) packaging/check_wheels.py --download
