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
    events=$(sed -nE 's/.* scullpin_([a-z]+): id=([0-9]+) .*/\1 \2/p' $tracing/trace)
    printf '%s\n' "$events"
    equal "$(awk '{ print $1 }' <<<"$events" | tr '\n' ' ')" 'submit pin issue release complete ' events &&
        equal "$(awk '{ print $2 }' <<<"$events" | sort -u | wc -l)" 1 'number of ids' || return 1
    for event in 'submit: id=[0-9]* read pos=0 length=65536 ' 'pin: id=[0-9]* pages=16 bytes=65536' 'complete: id=[0-9]* result=65536'; do
        grep -q "scullpin_$event" $tracing/trace || { printf 'no event %s\n' "$event"; return 1; }
    done
}

test_trace() {
    try 'tracepoints tell the life of a request under one number' a_request_tells_its_life
}
