# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by scripts/vm/run: an arm64 guest on QEMU's model of a Xilinx Versal board, which has eight channels of ZDMA. It sees a small Debian of its
# own and, under the same path, the project's tree.
# shellcheck disable=SC2034 # for who sources this
# shellcheck disable=SC2154 # icount, iommu, cpus and top are the caller's

machine_group=vm-arm64
machine_default_kernel=6.12
machine_suffix=-arm64
machine_transport=device
machine_modules='virtio_mmio'
machine_strip=aarch64-linux-gnu-strip
machine_console=ttyAMA0
machine_verdict=ttyAMA1
machine_command=hvc0

machine_check_options() {
    [ -z "$icount" ] || die 2 '--icount is for amd64'
    [ -z "$iommu" ] || die 2 '--iommu is for amd64: the board has none'
    [ "${cpus:-2}" = 2 ] || die 2 '--cpus is for amd64: the board has two that run Linux'
}

machine_prepare() {
    machine_root=$("$here/sysroot" arm64) || exit 6
    machine_busybox=$machine_root/bin/busybox
}

machine_program() {
    local folder
    if [[ $1 == */* ]]; then
        folder=$(realpath "$1")
        [[ $folder == "$top"/* ]] && printf '%s\n' "$folder"
        return
    fi
    for folder in /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
        [ ! -x "$machine_root$folder/$1" ] || { printf '%s\n' "$folder/$1"; return; }
    done
    return 1
}

machine_sees() { [[ $1/ == "$top"/* ]]; }

machine_arguments() {
    # The board's own ports are two; the third is one of virtio's.
    printf '%s\n' qemu-system-aarch64 -M xlnx-versal-virt -accel tcg,thread=multi -serial chardev:console -serial chardev:verdict \
        -device virtio-serial-device -device virtconsole,chardev=command
}

# The board has no way to hand out a status: it is switched off, and the verdict's last line must do.
machine_status() { printf 0; }
