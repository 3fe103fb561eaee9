# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The guest's first files: busybox, in-tree modules with what they depend on, init; then, as a second archive that the kernel unpacks over
# the first, what belongs to one run.
# shellcheck disable=SC2154 # here, work and machine_busybox are the caller's

BUSYBOX_APPLETS='sh mount umount insmod rmmod cat echo dd mkdir cp cut sed awk grep tr sleep sync stty setsid chroot dmesg ip ls mknod'

# initramfs_base KERNEL-ROOT VERSION MODULE...: prints the path of a cached archive.
initramfs_base() {
    local root=$1 version=$2 key final temp file name
    shift 2
    # A kernel that was built again under the same name has new modules.
    key=$(cat "$here/vm/init" "$here/vm/dmesg-patterns" "$here/vm/races.awk" "$here/vm/races-known" "$here/vm/initramfs.sh" <(printf '%s\n' "$root" "$@"; stat -c '%s %Y' "$root/lib/modules/$version/modules.dep") |
        sha256sum | cut -c1-16)
    final=$SCULLPIN_CACHE/initramfs/$version-$key.cpio
    if [ ! -e "$final" ]; then
        temp=$work/base
        mkdir -p "$temp"/{bin,dev,proc,sys,tmp,vm/modules}
        cp "$machine_busybox" "$temp/bin/busybox"
        for name in $BUSYBOX_APPLETS; do ln -s busybox "$temp/bin/$name"; done
        cp "$here/vm/init" "$temp/init"
        cp "$here/vm/dmesg-patterns" "$here/vm/races.awk" "$here/vm/races-known" "$temp/vm/"
        : >"$temp/vm/modules/base"
        initramfs_modules "$root" "$version" "$@" | while read -r file; do
            name=${file##*/}
            name=${name%.xz}
            case $file in
            *.xz) xz -dc "$file" >"$temp/vm/modules/$name" ;;
            *) cp "$file" "$temp/vm/modules/$name" ;;
            esac
            printf '%s\n' "$name" >>"$temp/vm/modules/base"
        done
        # Beside its place: only within one file system does it appear whole.
        mkdir -p "${final%/*}"
        file=$(mktemp "$final.XXXXXX")
        initramfs_pack "$temp" "$file" || { rm -f "$file"; die 6 "cannot write $file"; }
        rm -rf "$temp"
        cache_publish "$file" "$final"
    fi
    printf '%s\n' "$final"
}

# initramfs_modules KERNEL-ROOT VERSION MODULE...: files to load, in order. What is built into the kernel has none.
initramfs_modules() {
    local root=$1 version=$2 name
    shift 2
    for name; do
        modprobe -d "$root" -S "$version" --show-depends "$name" || die 6 "kernel $version has no module $name"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

initramfs_pack() { (cd "$1" && find . | cpio -o -H newc -R 0:0 --quiet) >"$2"; }
