# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Work side by side, as much at a time as there are cores, for scripts that are sourced with `set -u`.

# side_by_side COMMAND ITEM...: `COMMAND ITEM` for each. Each is a process group, so that a signal reaches all of it. What they return is lost: they write down how they ended.
side_by_side() {
    local command=$1 item
    shift
    set -m
    for item; do
        while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done
        "$command" "$item" </dev/null &
    done
    wait || true
    set +m
}

# stop STATUS: what runs side by side ends first, and each VM says so.
stop() {
    local group
    for group in $(jobs -pr); do kill -TERM -- "-$group"; done
    wait || true
    exit "$1"
}
