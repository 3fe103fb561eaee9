# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. Callers within the kernel, by a module that is nothing else: it compares what it wrote with what it reads, and cannot be loaded when they differ.

# calls HOW LATER [COMPLETION]: LATER of its two requests end later. None of this memory is a user's, so none is pinned.
calls() {
    local pinned deferred
    echo "${3:-auto}" >$sysfs/completion
    # What others left dirty would be written back at a moment of its own, by requests that end later.
    sync
    pinned=$(cat $sysfs/stats/pages_pinned) deferred=$(cat $sysfs/stats/requests_deferred)
    insmod "$SCULLPIN_CALLER_KO" how="$1" path=$node || { dmesg | tail -n 5; echo auto >$sysfs/completion; return 1; }
    rmmod kernel_caller
    echo auto >$sysfs/completion
    equal "$(cat $sysfs/stats/pages_pinned)" "$pinned" 'pages pinned'
    equal $(($(cat $sysfs/stats/requests_deferred) - deferred)) "$2" 'requests that ended later'
}

# What is written to /dev/zero is not what is read from it.
difference_is_seen() {
    fails insmod "$SCULLPIN_CALLER_KO" how=async-kvec path=/dev/zero
    # Nobody else says that, and what debug kernels say of a module that is dropped comes behind it.
    dmesg | grep 'kernel_caller: async-kvec reads something else than was written'
}

test_caller() {
    if [ -z "${SCULLPIN_CALLER_KO:-}" ]; then
        line skip 'callers within the kernel get their bytes' 0 'their module was not built'
        return
    fi
    try 'kernel_write and kernel_read move the same bytes, copied' calls plain 0
    try 'kernel_write and kernel_read on a node opened with O_DIRECT move the same bytes' calls direct 0
    try 'kernel_write and kernel_read on a node opened with O_DIRECT move the same bytes of vmalloc memory' calls direct-vmalloc 0
    try 'kernel_write and kernel_read wait for requests that end later' calls direct 2 deferred
    try "the kernel's own vectors of addresses are moved by requests that end later" calls async-kvec 2
    try "the kernel's own vectors of pages are moved by requests that end later" calls async-bvec 2
    try "the kernel's own asynchronous requests without IOCB_DIRECT are copied at once" calls async-plain 0
    try "the kernel's own asynchronous requests without IOCB_DIRECT are cached, and end at once, whatever completion says" calls async-plain 0 deferred
    try 'a destination that this driver does not know is refused' calls discard 0
    try 'a caller that reads something else than it wrote cannot be loaded' difference_is_seen
    try 'nothing is pinned or in flight after callers within the kernel, and the kernel is content' device_is_quiet
}
