# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. Computation and I/O at the same time, on a device that takes its time: what is hidden by each way.

# overlap_is WAY CONDITION: of the percents in /tmp/overlap.json.
overlap_is() {
    jq -e --arg way "$1" "[.rows[] | select(.way == \$way).overlap_percent] | length == 1 and (.[0] $2)" /tmp/overlap.json >/dev/null && return
    printf 'the overlap of %s is not %s\n' "$1" "$2"
    cat /tmp/overlap.txt
    return 1
}

# overlap_at_latency MICROSECONDS OPTION...: its document, and the rows for people (ms, and the overlap in percent).
overlap_at_latency() {
    local latency=$1 status=0
    shift
    "$scullpin" set --quiet scullpin0 "latency_us=$latency" >/dev/null || return 1
    "$scullpin" overlap --quiet --json "$@" $node >/tmp/overlap.json || status=$?
    "$scullpin" set --quiet scullpin0 latency_us=0 >/dev/null || return 1
    jq -r '.rows[] | "\(.way) \(.io_ns / 1e6) \(.computation_ns / 1e6) \(.both_ns / 1e6) \(.ideal_ns / 1e6) \(.overlap_percent)"' /tmp/overlap.json >/tmp/overlap.txt || return 1
    cat /tmp/overlap.txt
    return $status
}

# Why 20 and 60: a direct read gives the processor to nobody who computes on the block before it, so nothing is hidden but what the clock's error is; with
# one request in flight all but the first of 32 blocks can be hidden; the one CPU, which also copies for the device, takes a little of that away.
asynchronous_hides_what_direct_does_not() {
    dd if=/dev/urandom of=$node bs=64k count=32 conv=notrunc,fsync status=none &&
        overlap_at_latency 2000 --size 2m --backend "$1" &&
        jq -e '.schema == "scullpin-overlap/1" and (.rows | length) == 5 and .unavailable == {} and .aborted == false' /tmp/overlap.json >/dev/null &&
        overlap_is direct '< 20' && overlap_is asynchronous '> 60'
}

# 32 reads of at least 2 ms each: what took less was not read from the device.
cached_ways_begin_cold() {
    jq -e '[.rows[] | select(.cached_before_bytes != null)] | length == 3 and all(.cached_before_bytes == 0)' /tmp/overlap.json >/dev/null &&
        jq -e '.rows[] | select(.way == "direct") | .io_ns > 64e6' /tmp/overlap.json >/dev/null && return
    cat /tmp/overlap.json
    return 1
}

an_interrupted_overlap_says_so() {
    local pid status=0
    echo 100000 >$sysfs/latency_us
    "$scullpin" overlap --json --quiet --compute 1ms $node >/tmp/overlap.json &
    pid=$!
    until_true 20 stat_is_not in_flight 0 && kill -TERM $pid
    wait $pid || status=$?
    echo 0 >$sysfs/latency_us
    equal $status 143 'exit status' && jq -e '.aborted and (.rows | length) < 5' /tmp/overlap.json >/dev/null && device_is_quiet
}

test_overlap() {
    try 'asynchronous reads by libaio hide latency behind computation, direct ones do not' asynchronous_hides_what_direct_does_not libaio
    try 'the ways through the page cache begin with cold pages of the device' cached_ways_begin_cold
    try 'asynchronous reads by io_uring hide latency behind computation, direct ones do not' asynchronous_hides_what_direct_does_not io_uring
    try 'overlap that is interrupted ends with a whole document' an_interrupted_overlap_says_so
    try 'nothing is pinned or in flight after overlap, and the kernel is content' device_is_quiet
}
