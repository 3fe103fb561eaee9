# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. Messages for people go to stderr; stdout is a program's answer.

info() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# die CODE MESSAGE...: exit codes are in each script's header.
die() {
    local code=$1
    shift
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit "$code"
}
