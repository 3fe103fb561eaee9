# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced, after log.sh.

# seconds_of TIME: 90, 90s, 10m or 2h
seconds_of() {
    [[ $1 =~ ^([0-9]+)([smh]?)$ ]] || die 2 "TIME=$1 is not a time such as 90, 90s, 10m or 2h"
    local -A unit=([s]=1 [m]=60 [h]=3600)
    printf '%s' $((BASH_REMATCH[1] * ${unit[${BASH_REMATCH[2]:-s}]}))
}
