# SPDX-License-Identifier: MIT
# The kernel's log without time stamps -> each report of a data race as "TITLE<TAB>ours|known|other". Ours has a frame of one of our modules in either stack; the
# kernel and its modules have races of their own. Known is one of those that are so for whoever calls them. What an interrupt has interrupted has no part in it.
#
# variables: modules, the names of ours, each between blanks; known, the file of pairs
BEGIN { while ((getline line <known) > 0) if (line !~ /^(#|$)/) pairs[line] = 1 }
function whose(    pair) {
    pair = title
    sub(/.*data-race in /, "", pair)
    # What the compiler has made of a function.
    gsub(/\.(isra|constprop|part|cold)(\.[0-9]+)?/, "", pair)
    return !ours ? "other" : pair in pairs ? "known" : "ours"
}
/^=====/ { if (title) print title "\t" whose(); title = ""; ours = 0; next }
/BUG: KCSAN:/ { title = $0 }
/ by (task|interrupt)/ { interrupted = 0 }
/ asm_(sysvec_[a-z_]+|common_interrupt)\+0x/ { interrupted = 1 }
title && !interrupted && match($0, /\+0x[0-9a-f]+\/0x[0-9a-f]+ \[[a-z0-9_]+\]$/) {
    frame = substr($0, RSTART)
    if (index(modules, " " substr(frame, index(frame, "[") + 1, length(frame) - index(frame, "[") - 1) " ")) ours = 1
}
