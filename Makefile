# Only make and Python 3.11 or newer are needed: everything else is installed into this folder.
# Variables given to make (PORT=8001) reach the program through its environment.
PYTHON ?= python3

.PHONY: help run test check fix demo-region simulate bench
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

run: ## Install what is missing, then run the site (PORT=8000, HTTPS=1, DATABASE_URL=postgresql://…)
	@$(PYTHON) bootstrap.py run

test: ## Run every test, browser tests included (ARGS="relais/rooms -k waiting")
	@$(PYTHON) bootstrap.py test $(ARGS)

check: ## Format, lint, types, layers, migrations, lock files, scripts
	@$(PYTHON) bootstrap.py check

fix: ## Format and mend what the linter can mend
	@$(PYTHON) bootstrap.py fix

demo-region: ## Fill the database with a synthetic region (SIZE=small|region|stress, SEED=1, REPLACE=1 erases it first)
	@$(PYTHON) bootstrap.py manage with_database demo_region --size $(or $(SIZE),small) --seed $(or $(SEED),1) $(if $(REPLACE),--replace)

simulate: ## Play a day of the people followed against the running site (SPEED=60, SEED=1, PATIENTS=300)
	@$(PYTHON) bootstrap.py manage simulate --speed $(or $(SPEED),60) --seed $(or $(SEED),1) --patients $(or $(PATIENTS),300)

backup: ## Save database and files, encrypted (FILE=…; KEYS=… saves the keys too, under a passphrase)
	@$(PYTHON) bootstrap.py manage backup "$(FILE)" $(if $(KEYS),--keys "$(KEYS)")

restore: ## Bring a backup back into an empty place (FILE=… KEYS=…)
	@$(PYTHON) bootstrap.py manage restore "$(FILE)" $(if $(KEYS),--keys "$(KEYS)")

bench: ## Measure on the region and a tenth of it, print and write JSON (PART=abcdefgr, REBUILD=1; docs/bench.md)
	@$(PYTHON) bootstrap.py install --dev
	@.venv/bin/python -m bench $(if $(PART),--part $(PART)) $(if $(REBUILD),--rebuild)
