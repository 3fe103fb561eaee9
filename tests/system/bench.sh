# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The benchmark: what it counts beside what the device counts, how it stops, and what it refuses.

# bytes_of_device: read and written since it came.
bytes_of_device() { echo $(($(cat $sysfs/stats/bytes_read) + $(cat $sysfs/stats/bytes_written))); }

# What bench says it moved is what the device moved.
bench_counts_what_the_device_counts() {
    local before after
    before=$(bytes_of_device)
    "$scullpin" bench --json --quiet --direct --backend "$1" --iodepth 8 --rw randrw --size 4m $node >/tmp/bench.json || return 1
    after=$(bytes_of_device)
    equal "$(jq '.paths[0] | .read.operations + .write.operations' /tmp/bench.json)" 1024 'requests of one pass' &&
        equal $((after - before)) 4194304 'bytes that the device moved' &&
        jq -e '.schema == "scullpin-bench/1" and .paths[0].kind == "char" and .paths[0].read.errors == {} and .paths[0].write.errors == {}' /tmp/bench.json
}

# an_interrupted_bench_says_so BACKEND IN_FLIGHT: a slow device, a benchmark that is told to stop: it waits for what is in flight, and its document is whole.
an_interrupted_bench_says_so() {
    local pid status=0
    echo 100000 >$sysfs/latency_us
    "$scullpin" bench --json --quiet --direct --backend "$1" --iodepth 8 --runtime 1m $node >/tmp/bench.json &
    pid=$!
    until_true 20 stat_is in_flight "$2" && kill -TERM $pid
    wait $pid || status=$?
    echo 0 >$sysfs/latency_us
    equal $status 143 'exit status' && jq -e '.aborted and .paths[0].aborted and .paths[0].read.operations >= '"$2" /tmp/bench.json && device_is_quiet
}

bench_draws_a_plot() {
    rm -f /tmp/bench.svg
    "$scullpin" bench --quiet --direct --runtime 1 --size 4m --rw randrw --plot /tmp/bench.svg $node /dev/ram0 >/tmp/bench.txt &&
        grep -q "compared with $node" /tmp/bench.txt &&
        grep -q '^</svg>' /tmp/bench.svg && grep -q "$node read" /tmp/bench.svg && grep -q '/dev/ram0 write' /tmp/bench.svg
}

# What is mounted may be read, and is not written; nor is the path before it on the command line.
a_mounted_device_is_not_written() {
    local status=0 before
    mkfs.ext4 -q /dev/ram0 && mkdir -p /tmp/mounted && mount /dev/ram0 /tmp/mounted || return 1
    before=$(cat $sysfs/stats/bytes_written)
    "$scullpin" bench --quiet --rw randwrite --size 1m $node /dev/ram0 >/tmp/bench.txt 2>/tmp/stderr || status=$?
    equal $status 6 'exit status' && grep -q 'in use by a mount' /tmp/stderr && equal "$(cat $sysfs/stats/bytes_written)" "$before" bytes_written &&
        "$scullpin" bench --quiet --rw randread --size 1m /dev/ram0 >/tmp/bench.txt && status=0 || status=1
    umount /tmp/mounted && [ $status = 0 ] && "$scullpin" bench --quiet --rw randwrite --size 1m /dev/ram0 /dev/ram0 >/tmp/bench.txt
}

# The bytes of a loop device are its users'.
a_file_of_a_loop_device_is_not_written() {
    local loop status=0
    truncate -s 1M /tmp/backing
    loop=$(losetup -f --show /tmp/backing) || return 1
    "$scullpin" bench --quiet --rw write --size 64k /tmp/backing >/tmp/bench.txt 2>/tmp/stderr || status=$?
    losetup -d "$loop"
    equal $status 6 'exit status' && grep -q "in use by $loop" /tmp/stderr
}

# A page of a mapping that the filesystem has no room for is a signal, and the run goes on.
a_full_disk_by_mapping_is_an_error() {
    local status=0
    mkdir -p /tmp/full && mount -t tmpfs -o size=256k tmpfs /tmp/full && truncate -s 1M /tmp/full/sparse || return 1
    "$scullpin" bench --quiet --json --backend mmap --rw randwrite --runtime 1 /tmp/full/sparse >/tmp/bench.json 2>/tmp/stderr || status=$?
    umount /tmp/full
    equal $status 1 'exit status' && jq -e '.paths[0].write.errors.EIO > 0' /tmp/bench.json
}

ping_is_answered() {
    "$scullpin" ping --json --quiet --direct --interval 1ms --count 5 --backend "$1" $node >/tmp/ping.json &&
        jq -e '.schema == "scullpin-ping/1" and .requests == 5 and .errors == 0 and .lat_ns.min > 0' /tmp/ping.json
}

test_bench() {
    local backend
    for backend in sync vectored libaio io_uring; do
        try "the device has completed as many requests as bench by $backend counts" bench_counts_what_the_device_counts $backend
        try "ping by $backend is answered" ping_is_answered $backend
    done
    try 'a bench by sync that is interrupted drains, and its JSON is whole' an_interrupted_bench_says_so sync 1
    try 'a bench by libaio that is interrupted drains, and its JSON is whole' an_interrupted_bench_says_so libaio 8
    try 'a bench by io_uring that is interrupted drains, and its JSON is whole' an_interrupted_bench_says_so io_uring 8
    try 'bench draws the latencies of two paths' bench_draws_a_plot
    try 'bench does not write to a block device that is mounted' a_mounted_device_is_not_written
    try 'bench does not write to the file behind a loop device' a_file_of_a_loop_device_is_not_written
    try 'bench by mmap on a full filesystem tells errors, and ends' a_full_disk_by_mapping_is_an_error
    try 'nothing is pinned or in flight after the benchmark, and the kernel is content' device_is_quiet
}
