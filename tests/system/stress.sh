# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The stress tester on devices and files that are not ours: it must find nothing there. And on ours, with all that is hostile.

null_block=/sys/kernel/config/nullb/stress

# finds_nothing PATH OPTION...: in SCULLPIN_STRESS_SECONDS (default 3).
finds_nothing() {
    local document=/tmp/stress.json status=0
    "$scullpin" stress --write --json --runtime "${SCULLPIN_STRESS_SECONDS:-3}" --size 8m --scratch /tmp --seed 1 "${@:2}" "$1" >$document || status=$?
    equal $status 0 'exit status' && jq -e '.paths[0] | .completed > 100 and .completed == .submitted and .problems == []' $document >/dev/null && return
    cat $document
    return 1
}

# Null block keeps its bytes only when it is asked to. What its node is called differs from kernel to kernel.
make_null_block() {
    local before
    before=$(ls /sys/block)
    mkdir $null_block
    echo 1 >$null_block/memory_backed
    echo 64 >$null_block/size
    echo 1 >$null_block/power
    null_node=/dev/$(comm -13 <(sort <<<"$before") <(ls /sys/block | sort))
    [ -b "$null_node" ]
}

make_files() {
    mkfs.ext4 -q -F /dev/ram1 && mkdir -p /run/ext4 /run/tmpfs && mount /dev/ram1 /run/ext4 && mount -t tmpfs tmpfs /run/tmpfs
}

a_mounted_disk_is_refused() {
    local before
    before=$(sha256sum </dev/ram1)
    exits 6 "$scullpin" stress --write --runtime 1 /dev/ram1 && grep -q 'in use' /tmp/stderr && equal "$(sha256sum </dev/ram1)" "$before" 'the disk'
}

# Directly, nothing ends within the call that begins it, so that all events find something in flight. Through the page cache it may.
ours_is_well() {
    local certain=fork,kill,pageout,signals,memcg status=0
    [ $# = 0 ] || certain+=,unmap,cancel
    echo deferred >$sysfs/completion
    finds_nothing $node --hostile fork,unmap,cancel,kill,pageout,signals,memcg "$@" && events_happened /tmp/stress.json $certain && device_is_quiet || status=$?
    echo auto >$sysfs/completion
    return $status
}

test_stress() {
    local how
    ulimit -l unlimited
    echo 16 >/proc/sys/vm/nr_hugepages
    make_files
    make_null_block
    for how in '' --direct; do
        try "stress finds nothing on a RAM disk${how:+, directly}" finds_nothing /dev/ram0 $how
        try "stress finds nothing on a null block device that keeps its bytes${how:+, directly}" finds_nothing "$null_node" $how
        try "stress finds nothing on a file of ext4${how:+, directly}" finds_nothing /run/ext4/file $how
        try "stress finds nothing on the node under hostile events${how:+, directly}" ours_is_well $how
    done
    try 'stress finds nothing on a file of tmpfs' finds_nothing /run/tmpfs/file
    try 'stress does not write to a disk that is mounted' a_mounted_disk_is_refused
    umount /run/ext4 /run/tmpfs
    echo 0 >$null_block/power
    rmdir $null_block
    echo 0 >/proc/sys/vm/nr_hugepages
}
