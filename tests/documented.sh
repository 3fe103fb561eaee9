# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. What Documentation/ABI/testing says that there is.

# documented FILE PREFIX: "NAME MODE" of each entry, below the prefix.
documented() {
    awk -v prefix="$2" '
        $1 == "What:" { name = index($2, prefix) == 1 ? substr($2, length(prefix) + 1) : "" }
        $1 == "Description:" && name != "" { getline; mode = $1 == "(RO)" ? 444 : $1 == "(RW)" ? 644 : $1 == "(WO)" ? 200 : $1 == "(root" ? 600 : "?"; print name, mode }
    ' "Documentation/ABI/testing/$1" | sort
}
