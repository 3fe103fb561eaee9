# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. What an operator sees: debugfs and the histogram.

debug=/sys/kernel/debug/scullpin/scullpin0

# sees_requests NUMBER: reads them into `seen`; the file itself is asked, or they may have ended between the question and the look.
sees_requests() {
    seen=$(cat $debug/requests)
    [ "$(grep -c '^id=' <<<"$seen")" = "$1" ]
}

# Four requests that take long, seen while they are in flight.
requests_in_flight_are_seen() {
    local pid seen='' status=0
    echo 5000000 >$sysfs/latency_us
    "$scullpin" copy --quiet --direct --backend libaio --iodepth 4 --bs 8k --size 32k $node /tmp/read &
    pid=$!
    until_true 20 sees_requests 4 || status=1
    echo 0 >$sysfs/latency_us
    wait $pid || status=1
    printf '%s\n' "$seen"
    equal "$(grep -cE '^id=[0-9]+ read pos=[0-9]+ bytes=8192 state=delayed age_us=[0-9]+$' <<<"$seen")" 4 'requests seen' &&
        equal "$(sed -E 's/.*pos=([0-9]+) .*/\1/' <<<"$seen" | tr '\n' ' ')" '0 8192 16384 24576 ' positions &&
        equal "$(cat $debug/requests)" '' 'requests when nothing is in flight' && return $status
}

# The last of them, with the times of their phases: seconds in the engine's hands, as the modelled delay counts.
the_last_requests_are_told() {
    cat $debug/last
    equal "$(tail -n 4 $debug/last | grep -cE '^id=[0-9]+ read pos=[0-9]+ bytes=8192 result=8192 hold_ns=[0-9]+ engine_ns=[0-9]{10,} release_ns=[0-9]+$')" 4 'of the last four'
}

# Nobody but root; who reads while requests end reads nothing wrong, and who has a file open holds the module.
readers_do_not_disturb() {
    local reader status=0 i
    equal "$(stat -c %a $debug/requests $debug/last | sort -u)" 600 modes || return 1
    echo deferred >$sysfs/completion
    while cat $debug/requests $debug/last; do :; done >/dev/null 2>&1 &
    reader=$!
    for ((i = 0; i < 4; i++)); do
        "$scullpin" copy --quiet --direct --backend io_uring --iodepth 32 --bs 4k --size 4m $node /tmp/read || status=1
    done
    echo auto >$sysfs/completion
    kill $reader
    wait $reader || true
    exec 9<$debug/requests
    rmmod scullpin 2>/dev/null && status=1
    exec 9<&-
    until_true 10 rmmod scullpin 2>/dev/null || status=1
    insmod "$SCULLPIN_KO" || status=1
    [ $status = 0 ] && device_is_quiet
}

# counted FILE FLOOR: requests in buckets that begin at FLOOR microseconds or above.
counted() { awk -v floor="$2" '$1 >= floor { n += $2 } END { print n + 0 }' "$sysfs/latency/$1"; }

the_histogram_counts_deferred_requests() {
    local status=0
    reload && equal "$(cat $sysfs/latency/read $sysfs/latency/write)" '' 'buckets of a new device' || return 1
    dd if=$node of=/dev/null bs=4k count=3 iflag=direct status=none
    equal "$(cat $sysfs/latency/read)" '' 'buckets after requests that were not deferred' || return 1
    echo 100000 >$sysfs/latency_us
    { dd if=$node of=/dev/null bs=4k count=3 iflag=direct && dd if=/dev/zero of=$node bs=4k count=2 oflag=direct; } 2>/dev/null || status=1
    echo 0 >$sysfs/latency_us
    head $sysfs/latency/*
    # The bucket that 100000 falls into begins at 98304.
    equal "$(counted read 0) $(counted read 98304)" '3 3' reads && equal "$(counted write 0) $(counted write 98304)" '2 2' writes && return $status
}

# Every attribute of ours has an entry with its permissions, and every entry an attribute; what the driver core adds to every device is documented elsewhere.
the_documents_equal_sysfs() {
    diff <(documented sysfs-class-scullpin /sys/class/scullpin/scullpinN/) \
        <(cd $sysfs && find . -type f -not -path './power/*' -not -name uevent -not -name dev -printf '%P %m\n' | sort)
}

# The same of debugfs, of the folder of a device.
the_documents_equal_debugfs() {
    diff <(documented debugfs-scullpin /sys/kernel/debug/scullpin/scullpinN/) <(cd $debug && find . -type f -printf '%P %m\n' | sort)
}

# The form of the kernel's own documents: five fields, in order, of each entry.
the_documents_have_the_form() {
    local file
    for file in Documentation/ABI/testing/*; do
        equal "$(grep -oE '^[A-Z][A-Za-z]+:' "$file" | paste -sd ' ' | sed 's/What: Date: KernelVersion: Contact: Description: *//g')" '' "fields out of order in $file" || return 1
    done
}

# rule KEY: the value of a key of the sample rule.
rule() { sed -nE "/^[^#]/s/.*\\b$1==?\"([^\"]*)\".*/\1/p" docs/60-scullpin.rules; }

# By udev itself where it has a checker; else by its grammar, and against what the kernel says of the device.
the_udev_rule_fits() {
    if udevadm verify --help >/dev/null 2>&1; then
        udevadm verify docs/60-scullpin.rules || return 1
    fi
    equal "$(grep -v '^#' docs/60-scullpin.rules | grep -cvE '^[A-Z]+==?"[^"]*"(, [A-Z]+==?"[^"]*")*$')" 0 'lines that are no rule' &&
        equal "$(rule SUBSYSTEM)" "$(basename "$(readlink $sysfs/subsystem)")" SUBSYSTEM || return 1
    # shellcheck disable=SC2053 # a pattern is meant
    [[ $(basename $node) == $(rule KERNEL) ]] || { echo 'KERNEL does not match'; return 1; }
    equal "$(stat -c '%a %u' $node)" '600 0' 'mode and owner without the rule'
}

# as GID COMMAND...: as nobody, in that group only.
as() { setpriv --reuid=65534 --regid="$1" --clear-groups "${@:2}"; }

# What the rule makes of the node, done by hand: there is no udev in this machine.
the_group_of_the_rule_is_let_in() {
    local status=0
    chgrp 4242 $node && chmod "$(rule MODE)" $node || return 1
    as 4242 dd if=$node of=/dev/null bs=4k count=1 iflag=direct status=none || status=1
    as 4242 dd if=/dev/zero of=$node bs=4k count=1 oflag=direct conv=notrunc status=none || status=1
    as 4243 dd if=$node of=/dev/null bs=4k count=1 status=none 2>/dev/null && status=1
    chgrp 0 $node && chmod 600 $node
    return $status
}

stat_tells_counters_and_reasons() {
    dd if=$node of=/dev/null bs=100 count=1 iflag=direct status=none 2>/dev/null || true
    exits 0 "$scullpin" stat --json >/tmp/document || return 1
    jq -e ".schema == \"scullpin-stat/1\" and (.devices | length == 1) and .devices[0].refused.unaligned_length == $(cat $sysfs/refused/unaligned_length) and
        .devices[0].stats.requests_submitted == $(cat $sysfs/stats/requests_submitted) and .devices[0].lat_us.read.p50 > 0" /tmp/document >/dev/null || { cat /tmp/document; return 1; }
    exits 0 "$scullpin" stat $node | grep -E 'unaligned_length +[1-9]' >/dev/null && exits 6 "$scullpin" stat /dev/scullpin77
}

# Whether a process has a handler for it: bit 1 of the signals that it catches.
catches_sigint() { (( 0x$(sed -n 's/^SigCgt:[[:space:]]*//p' /proc/"$1"/status) & 2 )); }

# Reads go on while it watches; told to stop, it still ends with a whole document.
stat_watches_rates() {
    local pid watcher status=0
    "$scullpin" bench --quiet --direct --bs 4k --rw read --runtime 60 $node >/dev/null &
    pid=$!
    until_true 20 stat_is_not requests_completed "$(cat $sysfs/stats/requests_completed)"
    exits 0 "$scullpin" stat --json --quiet --watch 300ms --count 2 >/tmp/document || status=1
    jq -e '(.intervals | length == 2) and .intervals[0].devices[0].rates.iops_per_s > 0 and (.aborted | not)' /tmp/document >/dev/null || status=1
    equal "$("$scullpin" stat --watch 100ms --count 2 | wc -l)" 3 'lines of text' || status=1
    "$scullpin" stat --json --quiet --watch 50ms >/tmp/document &
    watcher=$!
    until_true 20 catches_sigint $watcher || status=1
    kill -INT $watcher
    wait $watcher && status=1
    jq -e '.schema == "scullpin-stat/1" and .aborted' /tmp/document >/dev/null || status=1
    kill -TERM $pid
    wait $pid || true
    return $status
}

test_operator() {
    mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
    try 'every attribute in sysfs is documented with its mode, and every document has its attribute' the_documents_equal_sysfs
    try 'every file in debugfs is documented with its mode, and every document has its file' the_documents_equal_debugfs
    try "the documents have the form of the kernel's" the_documents_have_the_form
    try 'debugfs shows the requests in flight, and none when there are none' requests_in_flight_are_seen
    try 'debugfs tells the last requests and how long each phase took' the_last_requests_are_told
    try 'readers of debugfs disturb neither requests nor rmmod' readers_do_not_disturb
    try 'the latency histogram counts deferred requests, reads and writes apart' the_histogram_counts_deferred_requests
    try 'the sample udev rule names the device, and without it the node is 0600' the_udev_rule_fits
    try 'with the mode of the rule the group is let in and others are not' the_group_of_the_rule_is_let_in
    try 'stat tells the counters of sysfs, why requests were refused, and exits 6 without a device' stat_tells_counters_and_reasons
    try 'stat --watch tells rates, ends by --count, and on SIGINT with a whole document' stat_watches_rates
    try 'nothing is pinned or in flight after an operator has looked, and the kernel is content' device_is_quiet
}
