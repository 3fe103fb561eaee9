# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. fio as an independent client: its own offsets, its own checksums, its own opinion.

# fio_verifies ENGINE DIRECT: writes 16 MiB in random order and sizes, then reads all and compares.
fio_verifies() {
    local document=/tmp/fio.json status=0 before after
    before=$(cat $sysfs/stats/pages_pinned)
    # --allrandrepeat=1: the same offsets each time, so that a failure can be seen again.
    fio --name=verify --filename=$node --size=16m --ioengine="$1" --direct="$2" --rw=randwrite --bsrange=4k-128k --iodepth=16 \
        --verify=crc32c --verify_fatal=1 --do_verify=1 --allrandrepeat=1 --output-format=json --output=$document || status=$?
    after=$(cat $sysfs/stats/pages_pinned)
    equal $status 0 'exit status of fio' &&
        jq -e '.jobs | length == 1 and .[0].error == 0 and .[0].write.io_bytes == 16777216 and .[0].read.io_bytes == 16777216' $document &&
        if [ "$2" = 1 ]; then [ "$after" -ge $((before + 8192)) ]; else [ "$after" = "$before" ]; fi && return
    printf 'pages pinned: %d\n' $((after - before))
    jq -c '.jobs[0] | { error, written: .write.io_bytes, read: .read.io_bytes }' $document
    return 1
}

# The same through the path of a device that takes its time.
fio_verifies_deferred() {
    local before status=0
    before=$(cat $sysfs/stats/requests_deferred)
    echo deferred >$sysfs/completion
    fio_verifies "$1" 1 && [ "$(cat $sysfs/stats/requests_deferred)" -gt "$before" ] || status=1
    echo auto >$sysfs/completion
    return $status
}

# Another job's data is not what this job wrote: fio must see that, or its silence above says nothing.
fio_sees_corruption() {
    local status=0
    local options=(--name=verify "--filename=$node" --size=1m --ioengine=psync --direct=1 --rw=write --bs=4k --verify=crc32c --verify_state_save=0)
    fio "${options[@]}" --do_verify=0 >/dev/null || return 1
    printf x | dd of=$node bs=1 seek=70000 conv=notrunc status=none
    fio "${options[@]}" --verify_only >/tmp/fio.txt 2>&1 || status=$?
    [ $status != 0 ] && grep -q 'verify failed at file .* offset 69632' /tmp/fio.txt && return
    printf 'fio ends with %d\n' $status
    cat /tmp/fio.txt
    return 1
}

test_fio() {
    local engine
    for engine in psync libaio io_uring; do
        try "fio verifies what it wrote by $engine, directly" fio_verifies $engine 1
        try "fio verifies what it wrote by $engine, plainly" fio_verifies $engine 0
    done
    for engine in libaio io_uring; do
        try "fio verifies what it wrote by $engine with deferred completion" fio_verifies_deferred $engine
    done
    try 'fio finds a byte that was changed behind its back' fio_sees_corruption
    try 'nothing is pinned or in flight after fio, and the kernel is content' device_is_quiet
}
