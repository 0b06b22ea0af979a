# `make` alone lists the targets.
SHELL := /bin/bash
PREFIX ?= /usr/local
DESTDIR ?=
CAPTURE ?=
BENCH ?=

# Warnings are errors here and not in Package.swift, where they would bind those who depend on the package. Calls between modules
# are inlined where that pays, and exclusive access is checked in debug builds, where the tests run, not in the release
# (docs/performance.md).
WARNINGS := -Xswiftc -warnings-as-errors
RELEASE := -c release $(WARNINGS) -Xswiftc -cross-module-optimization -Xswiftc -enforce-exclusivity=unchecked

# FLOWCEP_BUILD names a folder with a build that is there already (tests use it); nothing is built then.
ifdef FLOWCEP_BUILD
BUILD := $(FLOWCEP_BUILD)
else
BUILD := .build/release
endif

.PHONY: help build demo test check fuzz bench format install uninstall deps
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

deps: ## install the Debian packages that building and testing need, or print the line to paste
	@scripts/packages.sh install

build: ## build the program and its plugins (release)
ifndef FLOWCEP_BUILD
	@scripts/packages.sh check build
	swift build $(RELEASE)
endif

demo: ## see an attack found: start the collector, replay a capture (CAPTURE=file), show who attacked whom
ifndef FLOWCEP_BUILD
	@scripts/packages.sh install build
	swift build $(RELEASE)
endif
	@BUILD=$(BUILD) CAPTURE=$(CAPTURE) scripts/demo.sh

test: ## pass all tests
	@scripts/packages.sh install
	swift build --build-tests $(WARNINGS)
	swift test --skip-build $(WARNINGS)

check: test ## tests, and what ships: configuration, detections, formatting
	.build/debug/flowcep check -c config/startup.xml
	.build/debug/flowcep test queries/tests
	swift format lint --strict --recursive --parallel Package.swift Sources Plugins Tests Benchmarks

FUZZ_TARGETS := ipfix netflow9 netflow5 lists framer configuration json epl
FUZZ_SECONDS ?= 20
# What is cached on purpose is no leak.
FUZZ := ASAN_OPTIONS=detect_leaks=0 Tests/Fuzz/.build/release/fuzz

fuzz: ## fuzz every reader of strangers' bytes, FUZZ_SECONDS (20) each, after what was found before
	cd Tests/Fuzz && swift build -c release -Xswiftc -sanitize=fuzzer,address
	@for found in Tests/Fuzz/Findings/*.bin; do name=$$(basename $$found); $(FUZZ) $${name%%-*} -verbosity=0 $$found || exit 1; done
	@set -o pipefail; for target in $(FUZZ_TARGETS); do echo "== $$target"; \
	  $(FUZZ) $$target -max_total_time=$(FUZZ_SECONDS) -detect_leaks=0 -rss_limit_mb=1536 -timeout=10 -print_final_stats=1 2>&1 \
	    | grep -E 'executed_units|peak_rss|ERROR|SUMMARY|Fatal error' || exit 1; done

bench: build ## measure what a record costs, on a synthetic capture of 3 million (BENCH=names for some jobs only)
	@nproc | sed 's/$$/ processors/'; uname -sr; sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1
	$(BUILD)/flowcep-bench $(BENCH)

format: ## format the Swift sources in place
	swift format --in-place --recursive --parallel Package.swift Sources Plugins Tests Benchmarks

install: build ## install to PREFIX (default /usr/local) under DESTDIR
	@BUILD=$(BUILD) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) scripts/install.sh

uninstall: ## take away what install put there; etc/flowcep stays
	@PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) scripts/uninstall.sh
