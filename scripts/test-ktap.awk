# SPDX-License-Identifier: MIT
# Test lines, one file a suite, to KTAP.
BEGIN { print "KTAP version 1" }
match($0, /^(ok|FAIL|skip) /) && match($0, / \([0-9]+ ms\)/) {
    suite = FILENAME; sub(/.*\//, "", suite)
    name = substr($0, length($1) + 2, RSTART - length($1) - 2)
    gsub(/#/, "", name)
    printf "%s %d %s: %s%s\n", $1 == "FAIL" ? "not ok" : "ok", ++n, suite, name,
           $1 == "skip" ? " # SKIP" substr($0, RSTART + RLENGTH) : ""
    next
}
{ print "# " $0 }
END { printf "1..%d\n", n }
