# SPDX-License-Identifier: MIT
# Reads test lines, one file a suite, into arrays; the END of test-junit.awk or test-ktap.awk writes them. Used as: awk -f test-lines.awk -f FORMAT FILE...
#   suites, suite_name[s], suite_tests[s]; count[s, WORD] and total[WORD] of ok, FAIL and skip
#   word[s, t], name[s, t], ms[s, t], reason[s, t], details[s, t]
FNR == 1 {
    suite_name[++suites] = FILENAME
    sub(/.*\//, "", suite_name[suites])
    suite_tests[suites] = 0
}
# A name has no parenthesis, so the first one begins the time.
match($0, /^(ok|FAIL|skip) /) && match($0, / \([0-9]+ ms\)/) {
    t = ++suite_tests[suites]
    word[suites, t] = $1
    name[suites, t] = printable(substr($0, length($1) + 2, RSTART - length($1) - 2))
    ms[suites, t] = substr($0, RSTART + 2, RLENGTH - 6) + 0
    reason[suites, t] = printable(substr($0, RSTART + RLENGTH + 1))
    count[suites, $1]++
    total[$1]++
    suite_ms[suites] += ms[suites, t]
    next
}
suite_tests[suites] { details[suites, suite_tests[suites]] = details[suites, suite_tests[suites]] printable($0) "\n" }

# Neither format takes control characters.
function printable(text) {
    gsub(/[^\t -~]/, "?", text)
    return text
}
