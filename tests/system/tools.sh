# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. Tools that know nothing of this device find what they know of block devices.

# dd_there_and_back OFLAG IFLAG
dd_there_and_back() {
    local size
    size=$(stat -c %s /tmp/input)
    dd if=/tmp/input of=$node bs=64k ${1:+oflag=$1} conv=notrunc,fsync status=none &&
        dd if=$node of=/tmp/back bs=64k ${2:+iflag=$2} count=$((size / 65536 + 1)) status=none &&
        truncate -s "$size" /tmp/back &&
        cmp /tmp/input /tmp/back
}

# The last write of a file is not a whole block: padded, as for a disk.
direct_there_and_back() {
    local size
    size=$(stat -c %s /tmp/input)
    dd if=/tmp/input of=$node bs=64k oflag=direct conv=sync,notrunc,fsync status=none &&
        dd if=$node of=/tmp/back bs=64k iflag=direct count=$((size / 65536 + 1)) status=none &&
        truncate -s "$size" /tmp/back &&
        cmp /tmp/input /tmp/back
}

dd_meets_the_end() {
    local size status=0 output
    size=$(cat $sysfs/size)
    output=$(dd if=/dev/zero of=$node bs=1M seek=$((size / 1048576 - 1)) count=2 oflag=direct 2>&1) || status=$?
    equal $status 1 'exit status of dd' &&
        grep -q 'No space left on device' <<<"$output" &&
        grep -q '^1+0 records out' <<<"$output" && return
    printf '%s\n' "$output"
    return 1
}

unaligned_dd_is_refused() {
    local output
    ! output=$(dd if=/dev/zero of=$node bs=1000 count=1 oflag=direct 2>&1) &&
        grep -q 'Invalid argument' <<<"$output" && return
    printf '%s\n' "$output"
    return 1
}

blockdev_is_answered() {
    equal "$(blockdev --getsize64 $node)" "$(cat $sysfs/size)" getsize64 &&
        equal "$(blockdev --getss $node)" "$(cat $sysfs/logical_block_size)" getss &&
        equal "$(blockdev --getpbsz $node)" 4096 getpbsz
}

# cat reads the whole device, holes and all, and stops at its end.
cat_reads_to_the_end() {
    reload size=20m && equal "$(cat $node | wc -c)" 20971520 'bytes read' && equal "$(tr -d '\0' <$node | wc -c)" 0 'bytes that are not zero'
}

test_tools() {
    make_input
    try 'dd copies a file to the node and back' dd_there_and_back '' ''
    try 'dd with direct flags copies a file to the node and back' direct_there_and_back
    try 'dd is told of no space at the end of the device, after what fits' dd_meets_the_end
    try 'dd of 1000 bytes with a direct flag is refused as invalid' unaligned_dd_is_refused
    try 'blockdev is told size and block sizes' blockdev_is_answered
    try 'a device that was never written is cat to its end, all zeros' cat_reads_to_the_end
    try 'nothing is pinned or in flight after the tools, and the kernel is content' device_is_quiet
    reload
}
