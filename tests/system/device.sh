# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034 # used by those who source this
# Sourced. What the themes share: the node, its settings, and what must hold whenever nobody uses it.

scullpin=$SCULLPIN_BIN/scullpin
node=/dev/scullpin0
sysfs=/sys/class/scullpin/scullpin0

# exits STATUS COMMAND...: output on stdout, what it says only when the status is another.
exits() {
    local wanted=$1 status=0
    shift
    "$@" 2>/tmp/stderr || status=$?
    equal $status "$wanted" "exit status of $*" || { cat /tmp/stderr; return 1; }
}

# json FILTER COMMAND...: stdout is one document, of which FILTER is true; stderr is empty.
json() {
    local filter=$1
    shift
    exits 0 "$@" >/tmp/document &&
        jq -e -s "length == 1 and (.[0] | $filter)" /tmp/document >/dev/null &&
        equal "$(cat /tmp/stderr)" '' stderr && return
    cat /tmp/document
    return 1
}

# A file that every machine has, of a few megabytes and an odd length.
make_input() {
    [ -e /tmp/input ] || { cat /bin/bash /lib/x86_64-linux-gnu/libc.so.6 && printf 'odd'; } >/tmp/input
}

# reload PARAMETER...: the device anew.
reload() { rmmod scullpin && insmod "$SCULLPIN_KO" "$@"; }

# until_true SECONDS COMMAND...: polls; fails when it did not become true.
until_true() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || { printf 'never became true: %s\n' "$*"; return 1; }
        sleep 0.02
    done
}

stat_is() { [ "$(cat $sysfs/stats/"$1")" = "$2" ]; }
stat_is_not() { ! stat_is "$@"; }

# Pins of the whole machine balance; the kernel keeps the two counters per CPU until it is asked to fold them.
pins_balance() {
    echo 1 >/proc/sys/vm/stat_refresh
    awk '/^nr_foll_pin_acquired/ { a = $2 } /^nr_foll_pin_released/ { r = $2 } END { exit a != r }' /proc/vmstat
}

# events_happened DOCUMENT EVENT,...: under stress each of them did something.
events_happened() {
    local idle
    idle=$(jq -r --arg asked "$2" '.paths[] | .hostile as $counts | $asked | split(",")[] | select(($counts[.] // 0) == 0)' "$1") || return 1
    equal "$idle" '' 'hostile events that did nothing' || { jq '.paths[].left_out' "$1"; return 1; }
}

# What every theme ends with.
device_is_quiet() {
    until_true 5 stat_is in_flight 0 &&
        equal "$(cat $sysfs/stats/requests_completed)" "$(cat $sysfs/stats/requests_submitted)" requests_completed &&
        equal "$(cat $sysfs/stats/pages_released)" "$(cat $sysfs/stats/pages_pinned)" pages_released &&
        until_true 5 pins_balance &&
        kernel_is_content
}

kernel_is_content() {
    local taint complaints
    # Races of the kernel with itself (KCSAN) are judged at the end of the run.
    complaints=$(dmesg | grep -v 'KCSAN:' | grep -E -f scripts/vm/dmesg-patterns) || true
    equal "$complaints" '' 'what the kernel complains of' || return 1
    # Out-of-tree and unsigned is what this module is; nothing else.
    taint=$(($(cat /proc/sys/kernel/tainted) & ~0x3001))
    equal $taint 0 'other taint'
}
