# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The README has tables that scripts write, each between two markers, and pictures.

# readme_with NAME TABLE: the README, with TABLE between the markers of NAME.
readme_with() { awk -v name="$1" -v table="$2" '$0 == "<!-- " name ": end -->" { inside = 0 } !inside { print } index($0, "<!-- " name ": begin") == 1 { inside = 1; print table }' README.md; }

# svg_licence FILE: every file names its licence, and the first line of this kind must stay the first.
svg_licence() { sed -i '1a <!-- SPDX-License-Identifier: MIT -->' "$1"; }

# readme_write NAME TABLE
readme_write() {
    readme_with "$1" "$2" >README.md.new
    mv README.md.new README.md
}
