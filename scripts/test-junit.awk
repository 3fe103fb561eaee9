# SPDX-License-Identifier: MIT
# Test results as JUnit XML; see test-lines.awk.
function xml(text) {
    gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/>/, "\\&gt;", text); gsub(/"/, "\\&quot;", text)
    return text
}
function write_case(s, t) {
    printf "    <testcase classname=\"%s\" name=\"%s\" time=\"%.3f\"", xml(suite_name[s]), xml(name[s, t]), ms[s, t] / 1000
    if (word[s, t] == "FAIL")
        printf ">\n      <failure message=\"%s\">%s</failure>\n    </testcase>\n", xml(reason[s, t]), xml(details[s, t])
    else if (word[s, t] == "skip")
        printf ">\n      <skipped message=\"%s\"/>\n    </testcase>\n", xml(reason[s, t])
    else
        print "/>"
}
END {
    print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
    printf "<testsuites tests=\"%d\" failures=\"%d\" skipped=\"%d\">\n", total["ok"] + total["FAIL"] + total["skip"], total["FAIL"], total["skip"]
    for (s = 1; s <= suites; s++) {
        printf "  <testsuite name=\"%s\" tests=\"%d\" failures=\"%d\" skipped=\"%d\" time=\"%.3f\">\n", \
            xml(suite_name[s]), suite_tests[s], count[s, "FAIL"], count[s, "skip"], suite_ms[s] / 1000
        for (t = 1; t <= suite_tests[s]; t++) write_case(s, t)
        print "  </testsuite>"
    }
    print "</testsuites>"
}
