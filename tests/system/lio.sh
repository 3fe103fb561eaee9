# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The kernel as a client: LIO serves a SCSI disk from the node, and a filesystem lives on that disk.
. scripts/lib/lio.sh

lio_mount=/tmp/lio

# The substitution is a shell of its own: it has to be told again to stop at errors.
lio_begin() { mkdir -p $lio_mount && lio_disk=$(set -e; lio_start $node "$(cat $sysfs/size)" "$1"); }

# What lies in a filesystem, by name and SHA-256.
lio_sums() { (cd "$1" && find . -type f ! -path './lost+found/*' | LC_ALL=C sort | xargs sha256sum); }

# A large file, small ones, and one that is rewritten in places.
lio_fill() {
    local i
    cp /tmp/input "$1/input"
    mkdir "$1/small"
    for i in {1..15}; do head -c $((i * 537)) /tmp/input >"$1/small/$i"; done
    cp /tmp/input "$1/rewritten"
    for i in {1..2}; do printf 'changed %d' "$i" | dd of="$1/rewritten" bs=1 seek=$((i * 50003)) conv=notrunc,fsync status=none; done
}

gain_of() { printf '%d' $(($(cat $sysfs/stats/"$1") - $2)); }

# lio_filesystem WRITE-ASYNC READ-ASYNC: made and filled by one kind of LIO's requests, read back by another after everything in between was torn down.
lio_filesystem() {
    local written read begin
    lio_begin "$1"
    mkfs.ext4 -q -F "$lio_disk"
    mount "$lio_disk" $lio_mount
    lio_fill $lio_mount
    written=$(lio_sums $lio_mount)
    umount $lio_mount
    lio_stop
    lio_begin "$2"
    mount -o ro "$lio_disk" $lio_mount
    begin=$(cat $sysfs/stats/bytes_read)
    read=$(lio_sums $lio_mount)
    umount $lio_mount
    lio_stop
    equal "$read" "$written" 'sums of the files'
    equal "$(wc -l <<<"$read")" 17 'number of files'
    printf '%s\n' "$read" >/tmp/lio-sums
    [ "$(gain_of bytes_read "$begin")" -ge "$(stat -c %s /tmp/input)" ]
}

# The image itself is whole: e2fsck on a copy of the node's bytes, which LIO has no part in.
lio_image_is_whole() {
    $scullpin copy --quiet --direct --backend libaio --iodepth 8 --bs 1m --size "$(cat $sysfs/size)" $node /tmp/image
    e2fsck -fn /tmp/image
    mkdir -p /tmp/image-mount
    mount -o ro,loop /tmp/image /tmp/image-mount
    equal "$(lio_sums /tmp/image-mount)" "$(cat /tmp/lio-sums)" 'sums of the files in the image'
    umount /tmp/image-mount
    rm /tmp/image
}

# What LIO submits by fd_async_io goes by the kiocb's flag, on a node that it has not opened with O_DIRECT: as requests that end later. The other kind is copied at once.
lio_goes_by_the_flag() {
    local deferred pinned
    deferred=$(cat $sysfs/stats/requests_deferred) pinned=$(cat $sysfs/stats/pages_pinned)
    lio_begin 1
    dd if="$lio_disk" of=/dev/null bs=1M count=3 iflag=direct status=none
    dd if=/tmp/input of="$lio_disk" bs=1M count=3 iflag=fullblock oflag=direct status=none
    lio_stop
    [ "$(gain_of requests_deferred "$deferred")" -ge 6 ]
    deferred=$(cat $sysfs/stats/requests_deferred)
    lio_begin 0
    dd if="$lio_disk" of=/tmp/back bs=1M count=3 iflag=direct status=none
    lio_stop
    cmp -n 3145728 /tmp/input /tmp/back
    equal "$(gain_of requests_deferred "$deferred")" 0 'deferred requests of the synchronous backstore'
    equal "$(gain_of pages_pinned "$pinned")" 0 "pinned pages, where the kernel's own are"
}

# lio_read_pages ASYNC: pages of a file that its filesystem has cached after a read, then those that the node has read in to its own cache for it.
lio_read_pages() {
    local begin above below
    echo 3 >/proc/sys/vm/drop_caches
    lio_begin "$1"
    mount -o ro "$lio_disk" $lio_mount
    begin=$(cat $sysfs/stats/cache_read)
    cat $lio_mount/input >/dev/null
    above=$(fincore -n -o PAGES $lio_mount/input)
    below=$(gain_of cache_read "$begin")
    umount $lio_mount
    lio_stop
    printf '%d %d\n' "$above" "$below"
}

# Whose requests go by the page cache of the node has each page twice: in the cache of the filesystem above, and in that of the node.
lio_caches_twice() {
    local above below pages
    pages=$((($(stat -c %s /tmp/input) + 4095) / 4096))
    read -r above below <<<"$(set -e; lio_read_pages 0)"
    printf 'synchronous: %d pages above, %d below\n' "$above" "$below"
    [ "$above" = $pages ] && [ "$below" -ge $pages ]
    read -r above below <<<"$(set -e; lio_read_pages 1)"
    printf 'asynchronous: %d pages above, %d below\n' "$above" "$below"
    [ "$above" = $pages ] && [ "$below" = 0 ]
}

# A discard of the disk is one of the node, and takes nothing else.
lio_discards() {
    lio_begin 1
    dd if=/tmp/input of="$lio_disk" bs=64k count=2 oflag=direct status=none
    echo 1 >$lio_core/scullpin/attrib/emulate_tpu
    # New kernels do not find that out by themselves: LIO's page of limits is short.
    echo unmap >"$(echo /sys/block/"${lio_disk##*/}"/device/scsi_disk/*)/provisioning_mode"
    blkdiscard -o 0 -l 65536 "$lio_disk"
    lio_stop
    dd if=$node of=/tmp/back bs=64k count=2 iflag=direct status=none
    cmp -n 65536 /dev/zero /tmp/back
    cmp -i 65536 -n 65536 /tmp/input /tmp/back
}

# Every request of LIO's with a completion from another context, by a device that takes its time.
lio_survives_a_slow_device() {
    local status=0
    lio_begin "$1"
    echo 2000 >$sysfs/latency_us
    fio --name=lio --filename="$lio_disk" --size=8m --ioengine=libaio --direct=1 --rw=randwrite --bsrange=4k-256k --iodepth=16 --verify=crc32c --verify_fatal=1 \
        --do_verify=1 --allrandrepeat=1 >/tmp/fio.txt || status=$?
    echo 0 >$sysfs/latency_us
    lio_stop
    [ $status = 0 ] || { cat /tmp/fio.txt; return 1; }
}

# While LIO has the node open the module stays; afterwards it goes.
lio_holds_the_module() {
    lio_begin 1
    fails rmmod scullpin
    lio_stop
    reload size=48m
}

test_lio() {
    lio_is_there || { line skip 'the kernel itself is a client of the node, by LIO' 0 'the modules of LIO are not loaded'; return; }
    make_input
    reload size=48m
    try "LIO's asynchronous requests go by their own flag, its synchronous ones are copied, and neither pins" lio_goes_by_the_flag
    try 'a filesystem that LIO wrote by asynchronous requests reads the same by synchronous ones' lio_filesystem 1 0
    try 'a copy of the node is a whole filesystem' lio_image_is_whole
    try 'a filesystem that LIO wrote by synchronous requests reads the same by asynchronous ones' lio_filesystem 0 1
    try 'a copy of the node is a whole filesystem after synchronous requests, too' lio_image_is_whole
    try "pages that LIO's synchronous requests read are cached twice, those of asynchronous ones once" lio_caches_twice
    try 'a discard of the disk of LIO is one of the node' lio_discards
    try 'fio verifies what it wrote through LIO by asynchronous requests to a slow device' lio_survives_a_slow_device 1
    try 'fio verifies what it wrote through LIO by synchronous requests to a slow device' lio_survives_a_slow_device 0
    try 'the module stays while LIO has the node, and goes afterwards' lio_holds_the_module
    try 'nothing is pinned or in flight after LIO, and the kernel is content' device_is_quiet
    reload
}
