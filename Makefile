# Everything a developer or CI runs. `make` alone prints the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

JOBS ?= $(shell nproc)
STEPS ?= 1000000
SEED ?=
BENCH ?=
TARGET ?=
TIME ?= 60
RUNS ?=
INPUT ?=
RELEASE := build/release
DOCTEST := unit plans simulation mutation fuzz
FORMATTED = $(shell git ls-files '*.h' '*.cc' 2>/dev/null || find controller reconcilers tests -name '*.h' -o -name '*.cc')

.PHONY: help deps build all test plans sim check integration clients clients-install bench sanitize asan tsan fuzz docs verify format lint run clean

help: ## print this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- packages: a stamp per section, so that a second run costs nothing ----
build/.packages-%: packages.txt .ci/install_packages
	@.ci/install_packages $*
	@mkdir -p build && touch $@

deps: build/.packages-build ## install the Debian packages that are missing (root or sudo)

# ---- building ----
build/%/build.ninja: build/.packages-build CMakePresets.json
	@cmake --preset $* --log-level=WARNING
	@touch $@

build: $(RELEASE)/build.ninja ## release binary: build/release/galleryd
	@cmake --build $(RELEASE) --target galleryd -j $(JOBS)

all: $(RELEASE)/build.ninja ## release binary, tests and tools
	@cmake --build $(RELEASE) -j $(JOBS)

# ---- testing ----
# ctest runs everything; doctest's own summaries are then taken from its log, so that both are seen and nothing runs twice.
test: all clients-install ## every test that needs neither GPU nor internet
	@status=0; ctest --test-dir $(RELEASE) --output-on-failure --no-tests=error -j $(JOBS) || status=$$?; \
	echo; grep -h '^\[doctest\] test cases\|^\[doctest\] assertions' $(RELEASE)/Testing/Temporary/LastTest.log || true; \
	exit $$status

plans: $(RELEASE)/build.ninja ## golden plan cases (UPDATE_GOLDEN=1 rewrites the expectations)
	@cmake --build $(RELEASE) --target plans_tests -j $(JOBS)
	@$(RELEASE)/tests/plans_tests

# A process for each core, each from a random seed of its own; one when a seed is repeated.
sim: $(RELEASE)/build.ninja ## random simulation with faults (STEPS=1000000 in all, SEED= repeats one)
	@cmake --build $(RELEASE) --target simulation_tests -j $(JOBS)
	@jobs=$(if $(SEED),1,$(JOBS)); pids=(); \
	for ((i = 0; i < jobs; i++)); do \
	    STEPS=$$((($(STEPS) + jobs - 1) / jobs)) SEED=$(SEED) $(RELEASE)/tests/simulation_tests -tc="random schedules*" & pids+=($$!); \
	done; \
	status=0; for pid in "$${pids[@]}"; do wait $$pid || status=$$?; done; exit $$status

integration: all ## end-to-end tests on the release binary
	@ctest --test-dir $(RELEASE) --output-on-failure --no-tests=error -j $(JOBS) -R '^integration\.'

clients: all clients-install ## the Azure CLI and Microsoft's JavaScript SDK against the simulator
	@ctest --test-dir $(RELEASE) --output-on-failure --no-tests=error -j $(JOBS) -R '^clients\.'

# From package mirrors. Without one the tests of clients are skipped, or fail where CI=true.
clients-install:
	@tests/clients/install

# doctest takes a range of cases, so that both cores work on the slowest group.
check: build/dev/build.ninja ## the inner loop: debug build, unit tests and plan cases
	@cmake --build build/dev --target unit_tests plans_tests -j $(JOBS)
	@half=$$(( $$(build/dev/tests/unit_tests --count | sed -n 's/.*filters: //p') / 2 )); \
	build/dev/tests/unit_tests --last=$$half & first=$$!; \
	build/dev/tests/unit_tests --first=$$((half + 1)) & second=$$!; \
	status=0; build/dev/tests/plans_tests || status=$$?; wait $$first || status=$$?; wait $$second || status=$$?; exit $$status

bench: build clients-install ## figures against their goals: BENCH=P1,P9 picks, RUNS=3 of each; JSON in build/bench
	@cmake --build $(RELEASE) --target simulation_tests -j $(JOBS)
	@python3 tests/bench/run.py $(RELEASE)/galleryd $(BENCH)

sanitize: asan tsan ## unit, plan, simulation and fuzz replay tests under ASan+UBSan and under TSan

asan tsan: build/.packages-sanitize
	@cmake --preset $@ --log-level=WARNING
	@targets=$$(cmake --build build/$@ --target help | sed -n 's/^\(unit_tests\|plans_tests\|simulation_tests\|mutation_tests\|fuzz_tests\): phony$$/\1/p'); \
	cmake --build build/$@ -j $(JOBS) --target $$targets
	@for group in $(DOCTEST); do \
	    binary=build/$@/tests/$${group}_tests; [ -x $$binary ] || continue; \
	    echo "$@: $$group"; \
	    ASAN_SYMBOLIZER_PATH=$$(command -v llvm-symbolizer-19) UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
	    ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 \
	    TSAN_OPTIONS=halt_on_error=1:external_symbolizer_path=$$(command -v llvm-symbolizer-19) $$binary; \
	done

fuzz: build/.packages-sanitize $(RELEASE)/build.ninja ## libFuzzer: 60 s for each target (TARGET=yaml picks, TIME= seconds or RUNS= each); limits of large inputs
	@cmake --preset fuzz --log-level=WARNING
	@cmake --build build/fuzz -j $(JOBS) --target $(if $(TARGET),$(TARGET:%=%_fuzz),fuzz_binaries)
	@TIME='$(TIME)' RUNS='$(RUNS)' INPUT='$(INPUT)' tests/fuzz/run $(TARGET)
	@[ -n '$(INPUT)' ] || cmake --build $(RELEASE) --target fuzz_tests -j $(JOBS)
	@[ -n '$(INPUT)' ] || $(RELEASE)/tests/fuzz_tests --no-skip -tc='*mebibyte*'

# ---- keeping the house clean ----
docs: build ## write docs/reference from the binary
	@mkdir -p docs/reference && $(RELEASE)/galleryd reference docs/reference

lint: ## layout, banned calls, sizes (also part of make test)
	@for script in tests/lint/*.py; do python3 $$script . ; done

verify: build/.packages-verify build lint ## format, generated files current, clang-tidy on changed files
	@clang-format-14 --dry-run -Werror $(FORMATTED)
	@rm -rf build/reference && mkdir -p build/reference && $(RELEASE)/galleryd reference build/reference
	@diff -ru -x .gitkeep -x plan.schema.json docs/reference build/reference || { echo "docs/reference is stale: make docs" >&2; exit 1; }
	@changed=$$(git diff --name-only --diff-filter=d $$(git merge-base HEAD origin/main 2>/dev/null || echo HEAD) -- '*.cc'); \
	[ -z "$$changed" ] || clang-tidy-19 -p $(RELEASE) --quiet $$changed

format: build/.packages-verify ## format all sources in place
	@clang-format-14 -i $(FORMATTED)

# ---- using it ----
run: build ## build, then galleryd demo: the daemon against the built-in Azure, no account needed
	@exec $(RELEASE)/galleryd demo

clean: ## remove build/
	rm -rf build
