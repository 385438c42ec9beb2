# The commands of the README. Nothing is installed outside this folder.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
DEPLOYMENT ?= deployments/example.yaml
export DEPLOYMENT

# pipenv has a separate environment, so that it never changes the project's packages.
PIPENV_VERSION := 2026.10.3
# What pip installs of it, by hash. Renew both with: pip install --dry-run --ignore-installed --report - pipenv
define PIPENV_HASHES
pipenv==$(PIPENV_VERSION) --hash=sha256:9a2b337fcbf2b3ed30ebf691ecfd201484bcdd0270afe0964cbcd5b7a39911bc
certifi==2026.10.19.post1 --hash=sha256:1324c476b4811eff41a8bc2122cd0bbd4d9c7234c725446d99ab1612b3a7fdd2
distlib==0.4.4 --hash=sha256:cf09d55b1e85a89576b036aeb71550bfd68320f3f21761ca329eadadad918638
filelock==4.3.1 --hash=sha256:79e43df8e9fe509cd83a3899a7c186c8077cbbe4d200a1ed3705c2f3bb6bc487
packaging==26.4 --hash=sha256:81383611a09c1bc0b08b76e0fd5829d7c6824c65b27a6aee339da133f4233ea2
platformdirs==4.14.8 --hash=sha256:1e34af590de4d978631b751eb2202f2fee4497537a17c1720b12fcf57b331392
python-discovery==1.9.6 --hash=sha256:93b10b90363d4151964cdeee2ec6601f3041b17fc2b253a1c3da7d6e7ddd8337
setuptools==84.2.1 --hash=sha256:ca140b45d5325a9478f880e351484f62fef15f336462e449ca0c03c873d589c2
virtualenv==21.15.11 --hash=sha256:0390c40275487b5e677a1e559e30204ff061db4c5fec39c81d0dff1b24d2b774
endef
export PIPENV_HASHES
PIPENV := PIPENV_VENV_IN_PROJECT=1 PIPENV_IGNORE_VIRTUALENVS=1 PIPENV_NOSPIN=1 PIPENV_VERBOSITY=-1 .venv-pipenv/bin/pipenv

RUN := .venv/bin/python

# A file's tests share what they set up, so they stay in one process; the slow files come first. Many of the slow ones
# wait: a provider asks for a minute whether AWS knows the rules of a bucket. So two cores have time for a third process.
WORKED := --dist loadfile --no-loadscope-reorder --numprocesses

##@ Everyday
.PHONY: help
help: ## Show these commands
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: synth
synth: .venv/.synth ## Write Terraform for DEPLOYMENT into cdktf.out, beside a file outside this folder
	@$(RUN) main.py

.PHONY: hcl
hcl: .venv/.synth ## Write DEPLOYMENT as HCL into handover, for operations
	@$(RUN) main.py handover

.PHONY: rehearse
rehearse: .venv/.test ## Apply DEPLOYMENT against an emulated AWS and destroy it again
	@mkdir -p .cache/terraform-plugins # so that the provider is fetched once
	@TF_PLUGIN_CACHE_DIR="$${TF_PLUGIN_CACHE_DIR:-$(CURDIR)/.cache/terraform-plugins}" $(RUN) main.py rehearse

.PHONY: test
test: .venv/.test ## Run every test whose tools are installed; names the skipped ones
	@$(RUN) -m pytest $(WORKED) $(or $(WORKERS),3) $(PYTEST)

.PHONY: quick
quick: .venv/.test ## Run the tests that need no other program and no server
	@$(RUN) -m pytest -m "not (slow or tool or terraform or emulator)" $(WORKED) $(or $(WORKERS),2) $(PYTEST)

.PHONY: coverage
coverage: .venv/.test ## Show which lines of the product the tests of quick leave out
	@$(RUN) -m pytest -m "not (slow or tool or terraform or emulator)" $(WORKED) $(or $(WORKERS),2) --cov --cov-report= $(PYTEST)
	@$(RUN) -m coverage report --skip-covered --show-missing

.PHONY: proofs
proofs: .venv/.test ## Try all generated cases, of which make test tries a part
	@KAKEHASHI_ALL_CASES=1 $(RUN) -m pytest $(WORKED) $(or $(WORKERS),2) tests/ops/review/test_generated_attachments.py \
	  tests/ops/review/test_hostile_texts.py tests/ops/review/test_secret_forms.py \
	  tests/buildspec/mirror $(PYTEST)

.PHONY: tools
tools: .venv-pipenv/.done ## Set up checkov and cdktf-cli, for the tests that use them
	@command -v npm >/dev/null || \
	  { printf 'error: npm is not installed\nhint: cdktf-cli needs Node 20 or 22, with npm\n' >&2; exit 2; }
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || \
	  { printf 'error: %s is Node %s\nhint: cdktf-cli needs Node 20 or 22, with npm\n' "$$(command -v node)" "$$(node --version)" >&2; exit 2; }
	@echo "setting up checkov, about a minute" >&2
	@PIPENV_PIPFILE=tests/checkov/Pipfile $(PIPENV) sync --bare $(QUIETLY)
	@echo "setting up cdktf-cli, about a minute" >&2
	@npm ci --prefix tests/cdktf_cli --no-audit --no-fund --loglevel=error >/dev/null

.PHONY: check
check: .venv/.test ## Check format, lint, types and imports
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check
	@$(RUN) -m mypy .
	@.venv/bin/lint-imports --no-cache >.venv/lint-imports.log || { cat .venv/lint-imports.log >&2; exit 1; }

##@ Maintenance
.PHONY: schema
schema: .venv/.synth ## Write the JSON Schema of the deployment file, for editors
	@$(RUN) -m settings.schema

.PHONY: addresses
addresses: .venv/.test ## Write the list of the example's Terraform addresses, which a test compares
	@$(RUN) -m tests.stacks.addresses

.PHONY: tables
tables: .venv/.test ## Write the tables of promises and of the review's rules into docs
	@$(RUN) -m tests.tables

.PHONY: bench
bench: .venv/.test ## Measure start-up side by side, and write benchmarks/imports.md
	@$(RUN) -m benchmarks.imports --write

.PHONY: lock
lock: .venv-pipenv/.done ## Resolve Pipfile anew into Pipfile.lock
	@$(PIPENV) lock --dev
	@PIPENV_PIPFILE=tests/checkov/Pipfile $(PIPENV) lock
	@$(PYTHON) -c "$$UNNAMED_SOURCES"

.PHONY: clean
clean: ## Remove what make set up; states and cdktf.out stay
	rm -rf .venv .venv-pipenv tests/checkov/.venv tests/cdktf_cli/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis \
	  .cache .coverage .import_linter_cache

# The lock files must not name package sources: these come from the user's configuration of pip.
define UNNAMED_SOURCES
import json, pathlib
for path in map(pathlib.Path, ("Pipfile.lock", "tests/checkov/Pipfile.lock")):
    lock = json.loads(path.read_text())
    lock["_meta"]["sources"] = []
    for section in lock.values():
        for package in section.values():
            if isinstance(package, dict):
                package.pop("index", None)
    path.write_text(json.dumps(lock, indent=4) + "\n")
endef
export UNNAMED_SOURCES

# Runs pipenv, and shows its output only when it fails.
QUIETLY = >.venv-pipenv/log 2>&1 || { cat .venv-pipenv/log >&2; printf 'error: pipenv: not all packages were installed\nhint: see the lines above, and run make again\n' >&2; exit 1; }

# The same, and says on a terminal every five seconds how many packages there are.
COUNT_EVERY := 5
define COUNTED
while [ -t 2 ] && sleep $(COUNT_EVERY) && kill -0 $$$$ 2>/dev/null; do \
  echo "  $$(find .venv -path '*-packages/*.dist-info' -prune 2>/dev/null | wc -l) packages installed" >&2; \
done & \
trap "kill $$! 2>/dev/null || true" EXIT; \
$(PIPENV) sync $(1) --bare $(QUIETLY)
endef

# The packages are set up once, and again only when the lock file changes. git-remote-codecommit is built from its source,
# with the setuptools of the hash above: the lock file has no hash of what builds a package.
.venv/.synth: Pipfile.lock .venv-pipenv/.done
	@echo "set-up, step 2: the packages that a synthesis needs, in .venv (about a minute, once)" >&2
	@printf '%s\n' "$$PIPENV_HASHES" | grep '^setuptools==' >.venv-pipenv/build.txt
	@export PIP_BUILD_CONSTRAINT=$(CURDIR)/.venv-pipenv/build.txt; $(call COUNTED)
	@touch $@

.venv/.test: Pipfile.lock .venv/.synth
	@echo "set-up, step 3: the packages that tests and rehearsals need, in .venv (about a minute, once)" >&2
	@$(call COUNTED,--dev)
	@touch $@

.venv-pipenv/.done:
	@for tool in $(PYTHON) git; do command -v $$tool >/dev/null || \
	  { printf 'error: %s is not installed\nhint: install it, for example with: apt-get install %s\n' $$tool $$tool >&2; exit 2; }; done
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { printf 'error: %s is older than Python 3.11\nhint: make synth PYTHON=python3.12\n' "$$($(PYTHON) --version)" >&2; exit 2; }
	@echo "set-up, step 1: pipenv, which installs packages, in .venv-pipenv (a few seconds, once)" >&2
	@$(PYTHON) -m venv .venv-pipenv >/dev/null || \
	  { printf 'error: %s cannot make a virtual environment\nhint: install its venv package, for example with: apt-get install python3-venv\n' $(PYTHON) >&2; exit 2; }
	@printf '%s\n' "$$PIPENV_HASHES" >.venv-pipenv/requirements.txt
	@.venv-pipenv/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  --requirement .venv-pipenv/requirements.txt || \
	  { printf 'error: pipenv: it cannot be installed\nhint: see that the package index in the configuration of pip answers\n' >&2; exit 2; }
	@touch $@
