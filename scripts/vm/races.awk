# SPDX-License-Identifier: MIT
# The kernel's log without time stamps -> each report of a data race as "TITLE<TAB>ours|other". Ours has a frame of one of our modules in either stack; the kernel
# and its modules have races of their own.
#
# variable: modules, the names of ours, each between blanks
/^=====/ { if (title) print title "\t" (ours ? "ours" : "other"); title = ""; ours = 0; next }
/BUG: KCSAN:/ { title = $0 }
title && match($0, / \[[a-z0-9_]+\]$/) && index(modules, " " substr($0, RSTART + 2, RLENGTH - 3) " ") { ours = 1 }
