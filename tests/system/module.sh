# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The module's coming and going: the tests are those of device-tests that are hidden elsewhere, because they take the device away.

test_module() {
    "$SCULLPIN_BIN/device-tests" '[module]' || failures=$((failures + 1))
}
