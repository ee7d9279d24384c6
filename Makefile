# The commands of the README. `make demo` needs Python 3.11 or newer with venv and pip, and nothing else.
BIN = .venv/bin
EMBEDDED = .venv/installed-embedded
DEV = .venv/installed-dev
WANTED = pyproject.toml .ci/constraints.txt .ci/venv
QUICK = not slow and not browser and not journey and not servers and not judges and not faults

.PHONY: demo up test check conformance bench faults lock clean

# An environment does not survive a move of its folder: then it is made anew.
ifneq ($(CURDIR),$(shell cat .venv/place 2>/dev/null))
.PHONY: $(EMBEDDED) $(DEV)
endif

demo: $(EMBEDDED) ## try everything: one command, one machine
	@$(BIN)/newsletter demo $(if $(ONCE),--once)

up: $(EMBEDDED) ## run the product here, with servers of its own
	@$(BIN)/newsletter up

test: $(DEV) ## every test there is, with what they need
	@sh .ci/packages
	@$(BIN)/pytest -n auto --dist loadfile

check: $(DEV) ## the quick loop
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -n auto -m "$(QUICK)"

conformance: $(DEV) ## what programs that are not ours say about our mail: docs/conformance.md
	@sh .ci/packages
	@CONFORMANCE=write $(BIN)/pytest -m judges tests/conformance

bench: $(DEV) ## how fast mail leaves, beside other programs: one table, and var/bench.json
	@sh .ci/packages postfix gcc openssl
	@$(BIN)/python -m tests.benchmarks $(BENCH)

faults: $(DEV) ## break everything in the middle of a mailing (FAULTS=long: for much longer; FAULTS_SEED=1: again)
	@sh .ci/packages
	@$(BIN)/pytest -n 2 --dist loadfile -m faults tests/faults

lock: ## write down the versions that a fresh installation gets today
	@sh .ci/lock

clean: ## remove what was made here: the environment, the data of the demo
	@if [ -L var/postgres/shelter ]; then rm -rf "$$(readlink var/postgres/shelter)"; fi
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(EMBEDDED): $(WANTED)
	@sh .ci/venv embedded

$(DEV): $(WANTED)
	@sh .ci/venv embedded,dev
	@touch $(EMBEDDED) $(DEV)
