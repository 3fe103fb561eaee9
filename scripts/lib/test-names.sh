# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The names of all tests in the sources.

# test_names: one a line, as extended regular expressions: where a shell script puts a variable into a name, anything may stand.
test_names() {
    {
        # In C++ a long name may be cut in two by the formatter.
        cat tests/*/*.cpp | tr '\n' ' ' | sed -E 's/" +"//g' | grep -oE 'TEST_CASE(_METHOD)?\([^"]*"[^"]*"' | sed -E 's/.*"([^"]*)"$/\1/'
        # These are named from a list, see tests/device/entry_test.cpp.
        sed -nE 's/^ *(way|ways\.push_back\()\{"([^"]*)",.*/way in: \2, directly\nway in: \2, plainly/p' tests/device/ways.cpp tests/device/entry_test.cpp
        sed -nE "s/^ *try (\"([^\"]*)\"|'([^']*)').*/\\2\\3/p" tests/*/*.sh tests/*/guest tests/*/provider
    } | sed -E 's/[][().*+?^{}|]/\\&/g; s/\$[a-z_0-9]+/.*/g'
}

# test_is_there NAMES NAME: NAMES are those of test_names.
test_is_there() { grep -xE -f <(printf '%s\n' "$1") <<<"$2" >/dev/null; }
