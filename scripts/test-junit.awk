# SPDX-License-Identifier: MIT
# Test lines, one file a suite, to JUnit.
function xml(text) {
    gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/>/, "\\&gt;", text); gsub(/"/, "\\&quot;", text)
    gsub(/[^\t\n -~]/, "?", text)
    return text
}
function close_case() {
    if (state == "FAIL") printf "    <failure message=\"%s\">%s</failure>\n", xml(reason), xml(details)
    if (state == "skip") printf "    <skipped message=\"%s\"/>\n", xml(reason)
    if (state != "") print "  </testcase>"
    state = ""; details = ""
}
function close_suite() { close_case(); if (suite != "") print " </testsuite>" }
BEGIN { print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>" }
FNR == 1 {
    close_suite()
    suite = FILENAME; sub(/.*\//, "", suite)
    printf " <testsuite name=\"%s\">\n", xml(suite)
}
match($0, /^(ok|FAIL|skip) /) && match($0, / \([0-9]+ ms\)/) {
    close_case()
    state = $1
    name = substr($0, length(state) + 2, RSTART - length(state) - 2)
    ms = substr($0, RSTART + 2, RLENGTH - 6)
    reason = substr($0, RSTART + RLENGTH + 1)
    printf "  <testcase classname=\"%s\" name=\"%s\" time=\"%.3f\">\n", xml(suite), xml(name), ms / 1000
    next
}
{ details = details $0 "\n" }
END { close_suite(); print "</testsuites>" }
