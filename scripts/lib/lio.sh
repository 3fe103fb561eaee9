# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. A SCSI disk of the guest's own, which LIO serves from a file by its fileio backstore: the kernel itself is the client of that file.

# shellcheck disable=SC2034 # for scripts/vm/run, by those who boot: LIO, its loopback, disks, and what the tests put on them
lio_options=(--modprobe target_core_file --modprobe tcm_loop --modprobe sd_mod --modprobe ext4 --modprobe loop)

lio_core=/sys/kernel/config/target/core/fileio_0
lio_target=/sys/kernel/config/target/loopback/naa.5001405000000001
lio_portal=$lio_target/tpgt_1

lio_is_there() { [ -d /sys/module/tcm_loop ] && [ -d /sys/module/target_core_file ]; }

# lio_start FILE SIZE ASYNC: 1 makes asynchronous requests with IOCB_DIRECT of everything, 0 synchronous ones without. Prints the disk's node.
lio_start() {
    local async=''
    # The backstore knows fd_async_io=1 only; without it requests are synchronous.
    [ "$3" = 0 ] || async=,fd_async_io=1
    mkdir -p $lio_core/scullpin
    printf 'fd_dev_name=%s,fd_dev_size=%s%s' "$1" "$2" "$async" >$lio_core/scullpin/control
    echo 1 >$lio_core/scullpin/enable
    # INQUIRY: what tells this disk from others.
    echo scullpin >$lio_core/scullpin/wwn/vpd_unit_serial
    mkdir -p $lio_portal
    echo naa.5001405000000002 >$lio_portal/nexus
    mkdir $lio_portal/lun/lun_0
    ln -s $lio_core/scullpin $lio_portal/lun/lun_0/port
    lio_disk
}

# The node of the disk, when it is there; the kernel looks for it in the background.
lio_disk() {
    local address deadline=$((SECONDS + 60)) name
    address=$(cat $lio_portal/address)
    until name=$(lio_block "$address:0") && [ -b "/dev/$name" ] && [ "$(cat "/sys/block/$name/size")" != 0 ]; do
        [ $SECONDS -lt $deadline ] || { printf 'no disk of LIO at %s\n' "$address" >&2; return 1; }
        sleep 0.05
    done
    printf '/dev/%s\n' "$name"
}

# lio_block ADDRESS: sda, or nothing.
lio_block() {
    local link
    for link in /sys/class/scsi_device/"$1"/device/block/*; do
        [ -e "$link" ] && printf '%s\n' "${link##*/}" && return
    done
    return 1
}

# The block layer frees a disk without waiting for the release of its queue, which such a kernel puts off by four seconds at most.
releases_are_put_off() { [ -e /proc/config.gz ] && zgrep -qx CONFIG_DEBUG_KOBJECT_RELEASE=y /proc/config.gz; }

# In the order that the parts refer to each other, last first; the file is closed at the end of it.
lio_stop() {
    local disk=''
    ! releases_are_put_off || exec {disk}<"$(lio_disk)"
    rm -f $lio_portal/lun/lun_0/port
    rmdir $lio_portal/lun/lun_0
    echo NULL >$lio_portal/nexus
    rmdir $lio_portal $lio_target $lio_core/scullpin $lio_core
    # Open, it is not freed.
    [ -z "$disk" ] || { sleep 5; exec {disk}<&-; }
}
