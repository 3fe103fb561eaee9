# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The benchmark beside fio, on the same cells of the device, and what it refuses.

bench=$SCULLPIN_BIN/scullpin

# rate_of_fio ENGINE RW BS DEPTH: requests a second.
rate_of_fio() {
    fio --name=cell --filename=$node --size=64m --ioengine="$1" --direct=1 --rw="$2" --bs="$3" --iodepth="$4" --runtime=4 --time_based \
        --output-format=json --output=/tmp/fio.json &&
        jq -e '.jobs[0] | select(.error == 0) | .read.iops + .write.iops' /tmp/fio.json
}

# rate_of_bench BACKEND RW BS DEPTH
rate_of_bench() {
    "$bench" bench --json --quiet --backend "$1" --direct --rw "$2" --bs "$3" --iodepth "$4" --size 64m --runtime 4 $node >/tmp/bench.json &&
        jq -e '.paths[0] | .read.iops_per_s + .write.iops_per_s' /tmp/bench.json
}

# agrees_with_fio ENGINE BACKEND RW BS DEPTH: the rates are within a factor of 2 of each other.
# Why 2: both make the same system calls, so what is left is their own work between two of them, which emulation makes several times dearer than it is on
# silicon, and a host that gives the two unequal time. Requests of 64 KiB, or a device that takes its time, keep that well below one half. What the
# comparison is to find is worse: a queue that is not kept full (a factor of the depth), a rate of the wrong time or unit, requests that were not done.
agrees_with_fio() {
    local theirs ours
    theirs=$(rate_of_fio "$1" "$3" "$4" "$5") && ours=$(rate_of_bench "$2" "$3" "$4" "$5") || { cat /tmp/fio.json /tmp/bench.json; return 1; }
    printf 'fio: %s requests a second, bench: %s\n' "$theirs" "$ours"
    awk -v a="$theirs" -v b="$ours" 'BEGIN { exit !(a > 0 && b > 0 && a / b < 2 && b / a < 2) }'
}

# The same on a device that takes 5 ms for each request: a queue that is kept full shows in the rate.
agrees_with_fio_slowly() {
    local status=0
    echo 5000 >$sysfs/latency_us
    agrees_with_fio "$@" || status=1
    echo 0 >$sysfs/latency_us
    return $status
}

# bytes_of_device: read and written since it came.
bytes_of_device() { echo $(($(cat $sysfs/stats/bytes_read) + $(cat $sysfs/stats/bytes_written))); }

# What bench says it moved is what the device moved.
bench_counts_what_the_device_counts() {
    local before after
    before=$(bytes_of_device)
    "$bench" bench --json --quiet --direct --backend "$1" --iodepth 8 --rw randrw --size 4m $node >/tmp/bench.json || return 1
    after=$(bytes_of_device)
    equal "$(jq '.paths[0] | .read.operations + .write.operations' /tmp/bench.json)" 1024 'requests of one pass' &&
        equal $((after - before)) 4194304 'bytes that the device moved' &&
        jq -e '.schema == "scullpin-bench/1" and .paths[0].kind == "char" and .paths[0].read.errors == {} and .paths[0].write.errors == {}' /tmp/bench.json
}

# an_interrupted_bench_says_so BACKEND IN_FLIGHT: a slow device, a benchmark that is told to stop: it waits for what is in flight, and its document is whole.
an_interrupted_bench_says_so() {
    local pid status=0
    echo 100000 >$sysfs/latency_us
    "$bench" bench --json --quiet --direct --backend "$1" --iodepth 8 --runtime 1m $node >/tmp/bench.json &
    pid=$!
    until_true 20 stat_is in_flight "$2" && kill -TERM $pid
    wait $pid || status=$?
    echo 0 >$sysfs/latency_us
    equal $status 143 'exit status' && jq -e '.aborted and .paths[0].aborted and .paths[0].read.operations >= '"$2" /tmp/bench.json && device_is_quiet
}

bench_draws_a_plot() {
    rm -f /tmp/bench.svg
    "$bench" bench --quiet --direct --runtime 1 --size 4m --rw randrw --plot /tmp/bench.svg $node /dev/ram0 >/tmp/bench.txt &&
        grep -q "compared with $node" /tmp/bench.txt &&
        grep -q '^</svg>' /tmp/bench.svg && grep -q "$node read" /tmp/bench.svg && grep -q '/dev/ram0 write' /tmp/bench.svg
}

# What is mounted may be read, and is not written; nor is the path before it on the command line.
a_mounted_device_is_not_written() {
    local status=0 before
    mkfs.ext4 -q /dev/ram0 && mkdir -p /tmp/mounted && mount /dev/ram0 /tmp/mounted || return 1
    before=$(cat $sysfs/stats/bytes_written)
    "$bench" bench --quiet --rw randwrite --size 1m $node /dev/ram0 >/tmp/bench.txt 2>/tmp/stderr || status=$?
    equal $status 6 'exit status' && grep -q 'mounted or in use' /tmp/stderr && equal "$(cat $sysfs/stats/bytes_written)" "$before" bytes_written &&
        "$bench" bench --quiet --rw randread --size 1m /dev/ram0 >/tmp/bench.txt && status=0 || status=1
    umount /tmp/mounted && [ $status = 0 ] && "$bench" bench --quiet --rw randwrite --size 1m /dev/ram0 /dev/ram0 >/tmp/bench.txt
}

ping_is_answered() {
    "$bench" ping --json --quiet --direct --interval 1ms --count 5 --backend "$1" $node >/tmp/ping.json &&
        jq -e '.schema == "scullpin-ping/1" and .requests == 5 and .errors == 0 and .lat_ns.min > 0' /tmp/ping.json
}

test_bench() {
    local backend
    try 'bench and fio agree on synchronous reads' agrees_with_fio psync sync randread 64k 1
    try 'bench and fio agree on reads by libaio' agrees_with_fio libaio libaio randread 64k 8
    try 'bench and fio agree on writes by io_uring' agrees_with_fio io_uring io_uring randwrite 64k 8
    try 'bench and fio agree on reads by libaio on a slow device' agrees_with_fio_slowly libaio libaio randread 4k 16
    try 'bench and fio agree on writes by io_uring on a slow device' agrees_with_fio_slowly io_uring io_uring randwrite 4k 16
    for backend in sync vectored libaio io_uring; do
        try "the device has completed as many requests as bench by $backend counts" bench_counts_what_the_device_counts $backend
        try "ping by $backend is answered" ping_is_answered $backend
    done
    try 'a bench by sync that is interrupted drains, and its JSON is whole' an_interrupted_bench_says_so sync 1
    try 'a bench by libaio that is interrupted drains, and its JSON is whole' an_interrupted_bench_says_so libaio 8
    try 'a bench by io_uring that is interrupted drains, and its JSON is whole' an_interrupted_bench_says_so io_uring 8
    try 'bench draws the latencies of two paths' bench_draws_a_plot
    try 'bench does not write to a block device that is mounted' a_mounted_device_is_not_written
    try 'nothing is pinned or in flight after the benchmark, and the kernel is content' device_is_quiet
}
