# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The command on the device: bytes, JSON, exit codes.

# there_and_back BACKEND OPTION...: a file to the device, compared in place, and back.
there_and_back() {
    local backend=$1 size
    shift
    size=$(stat -c %s /tmp/input)
    rm -f /tmp/back
    json ".schema == \"scullpin-copy/1\" and .bytes == $size and .backend == \"$backend\" and (.aborted | not)" \
        "$scullpin" copy --json --quiet --backend "$backend" --iodepth 8 "$@" /tmp/input $node &&
        json '.schema == "scullpin-verify/1" and .mismatch_offset_bytes == null' \
            "$scullpin" verify --json --quiet --backend "$backend" --iodepth 8 "$@" /tmp/input $node &&
        exits 0 "$scullpin" copy --quiet --backend "$backend" --iodepth 8 --size "$size" "$@" $node /tmp/back &&
        cmp /tmp/input /tmp/back
}

a_changed_byte_is_found() {
    exits 0 "$scullpin" copy --quiet /tmp/input $node &&
        printf '\377' | exits 0 "$scullpin" write --quiet --offset 777777 --size 1 $node || return 1
    cmp -s -n 1 -i 777777 /tmp/input $node && { echo 'the byte was 377 before'; return 1; }
    exits 3 "$scullpin" verify --json --quiet /tmp/input $node >/tmp/document &&
        equal "$(jq .mismatch_offset_bytes /tmp/document)" 777777 'offset of the difference' &&
        grep -q 777777 /tmp/stderr
}

the_device_is_listed() {
    json '.schema == "scullpin-list/1" and (.devices | length == 1) and .devices[0].path == "/dev/scullpin0" and .devices[0].stats.in_flight == 0' \
        "$scullpin" list --json &&
        exits 0 "$scullpin" list | grep "^$node " >/dev/null
}

the_device_is_described() {
    json ".schema == \"scullpin-info/1\" and .kind == \"char\" and .size_bytes == $(cat $sysfs/size) and
          .logical_block_bytes == $(cat $sysfs/logical_block_size) and .dma_alignment_bytes == $(cat $sysfs/dma_alignment)" \
        "$scullpin" info --json $node
}

without_a_device_exit_is_6() {
    local status=0
    rmmod scullpin || return 1
    exits 6 "$scullpin" list --json >/tmp/document && jq -e '.devices == []' /tmp/document >/dev/null &&
        exits 6 "$scullpin" info $node && exits 6 "$scullpin" copy --quiet /tmp/input $node || status=1
    # A failed copy leaves no ordinary file in the place of the node.
    [ ! -e $node ] || { rm $node; echo 'a file took the place of the node'; status=1; }
    insmod "$SCULLPIN_KO"
    return $status
}

others_are_kept_out() { exits 6 setpriv --reuid=65534 --regid=65534 --clear-groups "$scullpin" info $node; }

what_does_not_fit_is_refused() {
    truncate -s $(($(cat $sysfs/size) + 512)) /tmp/large
    exits 1 "$scullpin" copy --quiet /tmp/large $node && grep -q 'No space left' /tmp/stderr
}

# A slow device, a copy that is told to stop: it waits for what is in flight, and says what it did.
an_interrupted_copy_says_so() {
    local pid status=0
    echo 100000 >$sysfs/latency_us
    "$scullpin" copy --json --quiet --direct --backend libaio --iodepth 4 --bs 4k --size 4m /tmp/large $node >/tmp/document &
    pid=$!
    until_true 5 stat_is_not in_flight 0 && kill -INT $pid
    wait $pid || status=$?
    echo 0 >$sysfs/latency_us
    equal $status 130 'exit status' && jq -e '.aborted and .bytes < 4194304' /tmp/document
}

a_killed_copy_leaves_nothing() {
    local pid status=0
    # Long enough for a slow machine to see all of them in flight.
    echo 2000000 >$sysfs/latency_us
    "$scullpin" copy --quiet --direct --backend "$1" --iodepth 32 --bs 64k --size 64m /tmp/large $node &
    pid=$!
    until_true 20 stat_is in_flight 32 && kill -KILL $pid
    wait $pid || status=$?
    echo 0 >$sysfs/latency_us
    equal $status 137 'exit status' && device_is_quiet
}

test_command() {
    local backend
    make_input
    try 'list shows the device, as text and as JSON' the_device_is_listed
    try 'info tells what the device tells in sysfs' the_device_is_described
    for backend in sync vectored libaio io_uring; do
        try "a file copied to the device and back by $backend is the same" there_and_back $backend
        try "a file copied to the device and back by $backend, directly, is the same" there_and_back $backend --direct
    done
    try 'verify finds a changed byte, names its offset and exits 3' a_changed_byte_is_found
    try 'a file larger than the device is refused with exit 1' what_does_not_fit_is_refused
    try 'a user to whom the node is not opened gets exit 6' others_are_kept_out
    try 'without the module every command exits 6, and makes no file in its place' without_a_device_exit_is_6
    try 'an interrupted copy exits 130 and its JSON says that it was aborted' an_interrupted_copy_says_so
    try 'a copy by libaio that is killed with requests in flight leaves nothing' a_killed_copy_leaves_nothing libaio
    try 'a copy by io_uring that is killed with requests in flight leaves nothing' a_killed_copy_leaves_nothing io_uring
    try 'nothing is pinned or in flight after the command, and the kernel is content' device_is_quiet
}
