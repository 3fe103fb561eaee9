# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The example that caches for itself, in a control group that bounds its memory, beside the page cache and a mapping in the same group.

bufferpool=$SCULLPIN_BIN/bufferpool
bounded=/sys/fs/cgroup/scullpin-bufferpool
bufferpool_answer=/tmp/bufferpool.json

# bounded_bufferpool OPTION...: 64 MiB of data, 18 of them in the own cache, in a group that may have 24: what the kernel does not need for the program is page cache.
bounded_bufferpool() {
    local status=0
    mkdir $bounded && echo 24M >$bounded/memory.max || return 1
    # shellcheck disable=SC2016 # the inner shell's
    sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' $bounded "$bufferpool" --write --json --operations 20000 --size 64M --memory 18M "$@" $node || status=$?
    rmdir $bounded
    return $status
}

# bufferpool_shows FILTER: which is true of the answer.
bufferpool_shows() { jq -e "$1" $bufferpool_answer >/dev/null || { cat $bufferpool_answer; return 1; }; }

# of_way WAY FILTER: a figure of the last answer.
of_way() { jq --arg way "$1" ".ways[] | select(.way == \$way) | $2" $bufferpool_answer; }

# The medium's pages are charged to who first writes them, so they are there before. The mapping is advised: otherwise a fault reads much of what is around its page.
every_way_reads_the_same() {
    echo +memory >/sys/fs/cgroup/cgroup.subtree_control || return 1
    dd if=/dev/urandom of=$node bs=1M count=64 conv=notrunc,fsync status=none
    bounded_bufferpool --ways pool,cached,pool-over-cache >/tmp/three.json && bounded_bufferpool --ways mapped --random-advice >/tmp/mapped.json &&
        jq -s '.[0].ways += .[1].ways | .[0]' /tmp/three.json /tmp/mapped.json >$bufferpool_answer || return 1
    bufferpool_shows '.schema == "scullpin-bufferpool/1" and .checksums_agree and (.device_counters_from | endswith("/stats")) and
                      (.ways | length == 4) and ([.ways[].checksum] | unique | length == 1)'
}

the_own_count_is_the_devices() {
    equal "$(of_way pool .pool.device_reads)" "$(of_way pool '.device.read_bytes / 4096')" 'pages read' &&
        equal "$(of_way pool .pool.device_writes)" "$(of_way pool '.device.written_bytes / 4096')" 'pages written'
}

only_the_own_cache_over_the_page_cache_holds_twice() {
    equal "$(of_way pool .page_cache_bytes)" 0 'bytes in the page cache beside a direct pool' &&
        of_way pool-over-cache '.held_twice_bytes > 1048576' | grep -x true
}

# Four scans of 16 MiB each go through a cache of 18. Which of the two reads less in all is not asked: the page cache has more room here, and now and then it is that one.
scans_do_not_push_out_what_is_hot() {
    bounded_bufferpool --ways pool --scan-every 0 >/tmp/unscanned.json || return 1
    bufferpool_shows '.scan_pages == 4096 and (.ways[] | select(.way == "pool") | .hit_ratio > 0.45)' &&
        [ "$(of_way pool .pool.misses)" -le "$(jq '.ways[0].pool.misses' /tmp/unscanned.json)" ] || { cat /tmp/unscanned.json; return 1; }
}

what_the_pool_refuses() {
    exits 6 "$bufferpool" /dev/nowhere && exits 2 "$bufferpool" --page 5000 $node && exits 2 "$bufferpool" --size 1T $node
}

test_bufferpool() {
    try 'a cache of its own, the page cache and a mapping read the same pages under a bound on memory' every_way_reads_the_same
    try 'what the own cache counts as read and written is what the device counts' the_own_count_is_the_devices
    try 'a direct pool has nothing in the page cache, and one over it has pages twice' only_the_own_cache_over_the_page_cache_holds_twice
    try 'with scans between, point accesses miss in the own cache no more often than without' scans_do_not_push_out_what_is_hot
    try 'a path that is missing is exit 6, and what makes no sense is exit 2' what_the_pool_refuses
    try 'nothing is pinned or in flight after the pool, and the kernel is content' device_is_quiet
}
