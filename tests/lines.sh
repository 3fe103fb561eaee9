# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by tests in shell: each test is a function, each result one of the project's lines.

failures=0

# line WORD NAME MS REASON
line() {
    local text="$1 $2 ($3 ms)${4:+ $4}"
    printf '%s\n' "$text"
    [ -z "${SCULLPIN_TEST_LINES:-}" ] || printf '%s\n' "$text" >>"$SCULLPIN_TEST_LINES"
}

# try NAME FUNCTION [ARG...]: passes when the function succeeds; what it printed is shown when it does not. `set -e` holds within.
try() {
    local name=$1 begin output status=0
    shift
    begin=$(date +%s%3N)
    # Not in a condition: there the shell would ignore errors in the function.
    set +e
    output=$(set -e; "$@" 2>&1)
    status=$?
    set -e
    if [ $status = 0 ]; then
        line ok "$name" $(($(date +%s%3N) - begin))
    else
        line FAIL "$name" $(($(date +%s%3N) - begin)) "exit status $status"
        printf '%s\n' "$output" | sed 's/^/    /' | tail -n 40 | tee -a "${SCULLPIN_TEST_LINES:-/dev/null}"
        failures=$((failures + 1))
    fi
}

# fails COMMAND...: for use in tests, where `! COMMAND` on a line of its own stops nothing.
fails() {
    if "$@"; then
        printf '%s succeeds\n' "$*"
        return 1
    fi
}

# equal ACTUAL WANTED WHAT: for use in tests; says what differs.
equal() { [ "$1" = "$2" ] || { printf '%s is %s, not %s\n' "$3" "${1:-(empty)}" "$2"; return 1; }; }
