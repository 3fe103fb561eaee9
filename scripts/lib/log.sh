# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. Messages for people go to stderr; stdout is a program's answer.

info() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# read_settings NAME...: sets the variables of these names from lines NAME=VALUE on stdin; nothing is evaluated.
read_settings() {
    local setting_name setting_value
    while IFS='=' read -r setting_name setting_value; do
        [[ " $* " != *" $setting_name "* ]] || printf -v "$setting_name" '%s' "$setting_value"
    done
}

# die CODE MESSAGE...: exit codes are in each script's header.
die() {
    local code=$1
    shift
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit "$code"
}
