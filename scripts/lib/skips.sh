# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced, with `top` set.

# unforeseen_skips FILE...: the tests in these lines of results that were skipped, and that tests/skips does not foresee.
unforeseen_skips() {
    awk 'sub(/^skip /, "") && sub(/ \([0-9]+ ms\).*/, "")' "$@" | grep -vxEf <(grep '^[^#]' "$top/tests/skips") || true
}
