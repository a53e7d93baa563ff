# The commands of this project. What they need on a machine: tests/setup.

web := reanimator-server/web

.PHONY: help run test test-fast lint bench kill-test harm-test fuzz setup lab-up lab-down page

help:
	@echo "make run        build the page and the program, and start it"
	@echo "make test       run every test (lab and browser included)"
	@echo "make test-fast  run the tests that need neither lab nor browser"
	@echo "make lint       format, clippy, linters, licences, advisories"
	@echo "make bench      measure, beside something real"
	@echo "make kill-test  kill the program 200 times while it acts, and count what came of it"
	@echo "make harm-test  try 10,000 random plans in random worlds, and count what harm the rules let pass"
	@echo "make fuzz       a minute of arbitrary bytes for each parser (tests/fuzz/README.md)"
	@echo "make setup      say what the machine lacks, and install it after asking"
	@echo "make lab-up     start three real Linux hosts (tests/lab/README.md)"
	@echo "make lab-down   remove them"

run: page
	cargo run --release --package reanimator-cli --bin reanimator -- serve

page:
	tests/setup run
	npm --prefix $(web) ci
	npm --prefix $(web) run build

test:
	tests/run all

test-fast:
	tests/run fast

lint:
	tests/lint

bench: page
	tests/venv
	cargo build --release --package reanimator-cli
	cargo run --release --package reanimator-bench

kill-test:
	tests/kill-test

harm-test:
	tests/harm-test

# RUSTC_BOOTSTRAP lets the stable compiler take the flags that libFuzzer needs.
fuzz:
	cd tests/fuzz && for target in inventory linux pve ssh; do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir . --sanitizer none $$target -- -max_total_time=60 || exit 1; done

setup:
	tests/setup all

lab-up:
	tests/lab/lab up 3

lab-down:
	tests/lab/lab down
