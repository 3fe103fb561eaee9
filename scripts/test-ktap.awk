# SPDX-License-Identifier: MIT
# Test results as KTAP, a suite being a test with subtests; see test-lines.awk.
# In KTAP a # begins a directive: names and reasons lose theirs.
function plain(text) {
    gsub(/#/, "", text)
    return text
}
function write_details(text, lines, n, i) {
    n = split(text, lines, "\n")
    for (i = 1; i < n; i++) print "  # " lines[i]
}
function write_case(s, t) {
    printf "  %s %d - %s", word[s, t] == "FAIL" ? "not ok" : "ok", t, plain(name[s, t])
    if (word[s, t] == "skip") printf " # SKIP %s", plain(reason[s, t])
    print ""
    if (word[s, t] == "FAIL") write_details(reason[s, t] "\n" details[s, t])
}
END {
    printf "KTAP version 1\n1..%d\n", suites
    for (s = 1; s <= suites; s++) {
        printf "  KTAP version 1\n  # Subtest: %s\n  1..%d\n", suite_name[s], suite_tests[s]
        for (t = 1; t <= suite_tests[s]; t++) write_case(s, t)
        printf "%s %d - %s\n", count[s, "FAIL"] || !suite_tests[s] ? "not ok" : "ok", s, suite_name[s]
    }
}
