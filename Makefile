# The commands of this project. What they need on a machine: tests/setup.

web := reanimator-server/web

.PHONY: help run test test-fast lint bench setup lab-up lab-down page

help:
	@echo "make run        build the page and the program, and start it"
	@echo "make test       run every test (lab and browser included)"
	@echo "make test-fast  run the tests that need neither lab nor browser"
	@echo "make lint       format, clippy, linters, licences, advisories"
	@echo "make bench      measure, beside something real"
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

bench:
	tests/venv
	cargo build --release --package reanimator-cli
	cargo run --release --package reanimator-bench

setup:
	tests/setup all

lab-up:
	tests/lab/lab up 3

lab-down:
	tests/lab/lab down
