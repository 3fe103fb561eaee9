# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. Test lines in shell: `ok|FAIL NAME (12 ms)`, on stdout and in $SCULLPIN_TEST_LINES; what the test printed follows a FAIL, indented.

lines_failed=0

# check NAME COMMAND...: a test passes when COMMAND does.
check() {
    local name=$1 begin output word=ok
    shift
    begin=$(date +%s%3N)
    output=$("$@" 2>&1) || { word=FAIL; lines_failed=$((lines_failed + 1)); }
    {
        printf '%s %s (%d ms)\n' $word "$name" $(($(date +%s%3N) - begin))
        [ $word = ok ] || printf '%s\n' "${output:-it says nothing}" | sed 's/^/    /'
    } | tee -a "${SCULLPIN_TEST_LINES:-/dev/null}"
}

# expect ACTUAL WANTED WHAT: for use in tests; says what differs.
expect() {
    [ "$1" = "$2" ] || { printf '%s is %s, not %s\n' "$3" "${1:-(empty)}" "$2"; return 1; }
}
