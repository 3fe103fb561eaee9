# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by scripts/vm/run: an amd64 guest on QEMU's q35. It sees this machine's own files.
# shellcheck disable=SC2034 # for who sources this
# shellcheck disable=SC2154 # icount, iommu and cpus are the caller's

machine_group=vm
machine_default_kernel=6.1
machine_suffix=''
machine_transport=pci
machine_modules='virtio_pci'
machine_strip='strip'
machine_console=ttyS0
machine_verdict=ttyS1
machine_command=ttyS2

machine_check_options() { :; }

# machine_prepare: sets machine_root, the guest's root, and machine_busybox.
machine_prepare() {
    machine_root=/
    machine_busybox=$(command -v busybox)
}

# machine_program NAME: its path, as the guest sees it. Looked up here: the guest's PATH need not be this one's.
machine_program() { type -P "$1"; }

machine_sees() { [[ $1/ != /run/* && $1/ != /proc/* && $1/ != /sys/* && $1/ != /dev/* ]]; }

# machine_arguments: QEMU's program and arguments, one a line.
machine_arguments() {
    local machine=q35
    [ -z "$iommu" ] || machine=q35,kernel-irqchip=split
    printf '%s\n' qemu-system-x86_64 -M "$machine" -smp "${cpus:-2}"
    if [ -n "$icount" ]; then
        # One virtual nanosecond is one guest instruction; MTTCG cannot count.
        printf '%s\n' -accel tcg,thread=single -icount shift=0,sleep=off -rtc base=2024-01-01,clock=vm -cpu max,-erms,-fsrm,-rdrand,-rdseed
    else
        # Without erms and fsrm a copy is not one instruction a byte under emulation.
        printf '%s\n' -accel tcg,thread=multi -cpu max,-erms,-fsrm
    fi
    # An IOMMU must be there before the devices behind it, and remap interrupts in user space.
    [ -z "$iommu" ] || printf '%s\n' -device intel-iommu,intremap=on
    printf '%s\n' -serial chardev:console -serial chardev:verdict -serial chardev:command -device isa-debug-exit,iobase=0xf4,iosize=1
}

# machine_status END: QEMU's exit status when the guest has ended with the code END.
machine_status() { printf '%s' $(($1 * 2 + 1)); }
