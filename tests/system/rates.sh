# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The rates of the benchmark beside those of fio, on the same cells of the device.

# rate_of_fio ENGINE RW BS DEPTH: requests a second.
rate_of_fio() {
    fio --name=cell --filename=$node --size=64m --ioengine="$1" --direct=1 --rw="$2" --bs="$3" --iodepth="$4" --runtime=1 --time_based \
        --output-format=json --output=/tmp/fio.json &&
        jq -e '.jobs[0] | select(.error == 0) | .read.iops + .write.iops' /tmp/fio.json
}

# rate_of_bench BACKEND RW BS DEPTH
rate_of_bench() {
    "$scullpin" bench --json --quiet --backend "$1" --direct --rw "$2" --bs "$3" --iodepth "$4" --size 64m --runtime 1 $node >/tmp/bench.json &&
        jq -e '.paths[0] | .read.iops_per_s + .write.iops_per_s' /tmp/bench.json
}

# agrees_with_fio ENGINE BACKEND RW BS DEPTH: the rates are within a factor of 2 of each other.
# Why 2: both make the same system calls, so what is left is their own work between two of them. Requests of 64 KiB, or a device that takes its time, keep
# that well below one half; and where instructions are the clock, the host's other work is not in the rates. What the comparison is to find is worse: a
# queue that is not kept full (a factor of the depth), a rate of the wrong time or unit, requests that were not done.
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

test_rates() {
    try 'bench and fio agree on synchronous reads' agrees_with_fio psync sync randread 64k 1
    try 'bench and fio agree on reads by libaio' agrees_with_fio libaio libaio randread 64k 8
    try 'bench and fio agree on writes by io_uring' agrees_with_fio io_uring io_uring randwrite 64k 8
    try 'bench and fio agree on reads by libaio on a slow device' agrees_with_fio_slowly libaio libaio randread 4k 16
    try 'bench and fio agree on writes by io_uring on a slow device' agrees_with_fio_slowly io_uring io_uring randwrite 4k 16
    try 'nothing is pinned or in flight after bench and fio, and the kernel is content' device_is_quiet
}
