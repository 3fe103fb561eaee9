# SPDX-License-Identifier: MIT
# The front door: each target is one script. make turns every failure into 2, so the last line of each says how it ended.

ARCH ?= amd64
KERNEL ?= $(if $(filter arm64,$(ARCH)),6.12,6.1)
MODE ?= default
export KERNEL ARCH MODE INPUT TIME VARIANT V

.DEFAULT_GOAL := help
# One thing at a time: the scripts use the cores themselves.
.NOTPARALLEL:

## help: this list
help:
	@scripts/help Makefile

## demo: a real file through pinned pages, both ways, compared by SHA-256 [INPUT=FILE MODE=default|dma|lio|modes]
demo:
	@scripts/outcome demo scripts/demo

## test: unit tests, tests of the harness, device and system tests in the VM [KERNEL=]
test:
	@scripts/test

## check: style, layers, warnings, licences
check:
	@scripts/outcome check scripts/check

## matrix: the whole suite on Debian's 6.1, 6.12 and 7.2, one row each [KERNEL=6.12 for one]
matrix:
	@scripts/outcome matrix scripts/matrix $(if $(filter command\ line environment,$(origin KERNEL)),$(KERNEL))

## debug-test: the suites in the VM under KASAN, lockdep, kmemleak and fault injection [VARIANT=kcsan]
debug-test:
	@scripts/outcome debug-test scripts/debug-test

## mutants: planted bugs, each of which a test must catch
mutants:
	@scripts/outcome mutants scripts/mutants

## coverage: lines and branches of the module that the suites reach, as a table and HTML in out/coverage
coverage:
	@scripts/outcome coverage scripts/coverage

## adversaries: those tests that work against the I/O, each for a minute [TIME=60s KERNEL=]
adversaries:
	@scripts/outcome adversaries scripts/adversaries

## bench: guest instructions per I/O, beside brd, null_blk, tmpfs and /dev/zero [KERNEL=]
bench:
	@scripts/outcome bench scripts/bench

## bench-check: slower than the baseline is a failure [KERNEL=]
bench-check:
	@scripts/outcome bench-check scripts/bench-check

## stress: the stress tester on the module in the VM, with hostile events [TIME=10m KERNEL=]
stress:
	@scripts/outcome stress scripts/stress

## kmod: out/kmod/KERNEL/scullpin.ko [KERNEL= KDIR= V=1]
kmod:
	@scripts/outcome kmod $(if $(KDIR),$(MAKE) -C kmod KDIR=$(KDIR),scripts/build-kmod $(KERNEL))

## user: the library, the command and the test programs, in out/user/bin [V=1]
user:
	@scripts/outcome user scripts/build-user

## vm: a shell in the VM, with the module loaded [KERNEL=]
vm:
	@scripts/build-kmod $(KERNEL)
	@scripts/build-user --command
	@scripts/vm/run --kernel $(KERNEL) --module out/kmod/$(KERNEL)/scullpin.ko --timeout 86400

## clean: remove out/
clean:
	@scripts/outcome clean rm -rf out

## clean-cache: show what the cache holds, and delete it
clean-cache:
	@scripts/outcome clean-cache scripts/clean-cache

.PHONY: help demo test check matrix debug-test mutants coverage stress adversaries bench bench-check kmod user vm clean clean-cache
