# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. What an operator sees of one request.

tracing=/sys/kernel/tracing

# One deferred request of 64 KiB: each event of its life once, in order, under one number.
a_request_tells_its_life() {
    local event events
    echo deferred >$sysfs/completion
    echo 1 >$tracing/events/scullpin/enable
    echo >$tracing/trace
    dd if=$node of=/dev/null bs=64k count=1 iflag=direct status=none
    echo 0 >$tracing/events/scullpin/enable
    echo auto >$sysfs/completion
    events=$(sed -nE 's/.* scullpin_([a-z]+): dev=0 id=([0-9]+) .*/\1 \2/p' $tracing/trace)
    printf '%s\n' "$events"
    equal "$(awk '{ print $1 }' <<<"$events" | tr '\n' ' ')" 'submit pin issue release complete ' events &&
        equal "$(awk '{ print $2 }' <<<"$events" | sort -u | wc -l)" 1 'number of ids' || return 1
    for event in 'submit: dev=0 id=[0-9]* read pos=0 length=65536 ' 'pin: dev=0 id=[0-9]* pages=16 bytes=65536' 'complete: dev=0 id=[0-9]* result=65536'; do
        grep -q "scullpin_$event" $tracing/trace || { printf 'no event %s\n' "$event"; return 1; }
    done
}

# A request on the stack has a number while it is traced, and a refusal says why: with its number where it has one.
the_stack_and_refusals_are_traced() {
    local events
    echo 1 >$tracing/events/scullpin/enable
    echo >$tracing/trace
    dd if=$node of=/dev/null bs=256k count=1 iflag=direct status=none
    dd if=$node of=/dev/null bs=100 count=1 iflag=direct status=none 2>/dev/null || true
    echo 0 >$tracing/events/scullpin/enable
    events=$(sed -nE 's/.* scullpin_([a-z]+): dev=0 id=([0-9]+) (.*)/\1 \2 \3/p' $tracing/trace)
    printf '%s\n' "$events"
    equal "$(awk '{ print $1 }' <<<"$events" | tr '\n' ' ')" 'submit pin issue release pin issue release complete refuse ' events &&
        equal "$(awk '$1 != "refuse" { print $2 }' <<<"$events" | sort -u | wc -l)" 1 'number of ids' &&
        equal "$(tail -n 1 <<<"$events")" 'refuse 0 reason=unaligned_length detail=100' 'last event'
}

# timeline FILTER COMMAND...: of the one request that the command makes; FILTER is true of the document. Its text is printed.
timeline() {
    local filter=$1
    shift
    exits 0 "$scullpin" trace --json --quiet $node -- "$@" >/tmp/document || return 1
    jq -e ".schema == \"scullpin-trace/1\" and .lost_events == 0 and .command_exit == 0 and ($filter)" /tmp/document >/dev/null || { cat /tmp/document; return 1; }
    exits 0 "$scullpin" trace --quiet $node -- "$@" | tee /tmp/timeline
    equal "$(find $tracing/instances -mindepth 1 -maxdepth 1)" '' 'instances left behind'
}

all_steps='[.requests[0].steps[].step] == ["submit","pin","issue","release","complete"]'

# What is dirty or cached of it would be requests of its own, or none at all.
forget_cached() { sync && echo 1 >/proc/sys/vm/drop_caches; }

# a_kind COMPLETION DIRECTION COMMAND...: the command's one request of 8 KiB has all of its steps.
a_kind() {
    local completion=$1 direction=$2 status=0
    shift 2
    echo "$completion" >$sysfs/completion
    forget_cached
    timeline "(.requests | length == 1) and $all_steps and .requests[0].direction == \"$direction\" and .requests[0].result == 8192 and .requests[0].whole" \
        "$@" || status=1
    echo auto >$sysfs/completion
    return $status
}

# copies BACKEND FROM TO: 8 KiB, directly.
copies() { printf '%s copy --quiet --direct --backend %s --bs 8k --size 8k %s %s' "$scullpin" "$1" "$2" "$3"; }

a_fault_has_its_timeline() {
    forget_cached
    timeline "(.requests | length >= 1) and $all_steps and .requests[0].direction == \"read\" and .requests[0].pos_bytes == 0" \
        "$scullpin" copy --quiet --backend mmap --bs 8k --size 8k $node /tmp/read
}

a_plain_delayed_read_has_its_timeline() {
    local status=0
    forget_cached
    echo 20000 >$sysfs/latency_us
    # The page cache reads it in, and what it takes to come next.
    timeline "(.requests | length >= 1) and $all_steps and .requests[0].total_us >= 20000" \
        dd if=$node of=/dev/null bs=4k count=1 status=none || status=1
    echo 0 >$sysfs/latency_us
    return $status
}

a_refused_read_has_its_timeline() {
    timeline '(.requests | length == 1) and .requests[0].id == null and .requests[0].refused == [{reason: "unaligned_length", detail: 100}]' \
        sh -c "! dd if=$node of=/dev/null bs=100 count=1 iflag=direct status=none"
}

# Told to stop, it still answers whole, and leaves no instance.
an_interrupted_trace_leaves_nothing() {
    local pid status=0
    "$scullpin" trace --json --quiet --runtime 60 >/tmp/document &
    pid=$!
    until_true 20 grep -qs 1 $tracing/instances/scullpin-$pid/events/scullpin/enable || status=1
    dd if=$node of=/dev/null bs=4k count=1 iflag=direct status=none
    kill -INT $pid
    wait $pid || equal $? 130 'exit status' || status=1
    jq -e '.aborted and (.requests | length == 1)' /tmp/document >/dev/null || status=1
    equal "$(find $tracing/instances -mindepth 1 -maxdepth 1)" '' 'instances left behind' && return $status
}

without_events_trace_says_what_to_do() {
    local status=0
    rmmod scullpin || return 1
    exits 6 "$scullpin" trace --runtime 1s && grep -q 'insmod scullpin.ko' /tmp/stderr || status=1
    insmod "$SCULLPIN_KO" || return 1
    umount $tracing || return $status
    exits 6 "$scullpin" trace --runtime 1s && grep -q 'mount -t tracefs tracefs /sys/kernel/tracing' /tmp/stderr || status=1
    mount -t tracefs tracefs $tracing && return $status
}

test_trace() {
    local backend completion
    try 'tracepoints tell the life of a request under one number' a_request_tells_its_life
    try 'a request on the stack is traced under a number, and a refusal with its reason' the_stack_and_refusals_are_traced
    dd if=/dev/urandom of=/tmp/written bs=8k count=1 status=none
    for backend in sync libaio io_uring; do
        for completion in inline deferred; do
            # shellcheck disable=SC2046 # words
            try "the timeline of a direct read by $backend, $completion, has all of its steps" a_kind $completion read $(copies $backend $node /tmp/read)
            # shellcheck disable=SC2046
            try "the timeline of a direct write by $backend, $completion, has all of its steps" a_kind $completion write $(copies $backend /tmp/written $node)
        done
    done
    try 'the timeline of what fsync writes back has all of its steps' a_kind auto write dd if=/tmp/written of=$node bs=8k count=1 conv=notrunc,fsync status=none
    try 'the timeline of what a fault on a mapping reads in has all of its steps' a_fault_has_its_timeline
    try 'the timeline of a plain read that is delayed shows the delay' a_plain_delayed_read_has_its_timeline
    try 'the timeline of a refused read says why' a_refused_read_has_its_timeline
    try 'a trace that is interrupted answers and leaves no instance behind' an_interrupted_trace_leaves_nothing
    try 'without events or tracefs trace exits 6 and says what to do' without_events_trace_says_what_to_do
}
