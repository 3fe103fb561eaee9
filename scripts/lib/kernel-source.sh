# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by scripts/kernel. Kernels that are built here, from a distribution's source package, for what no distribution's kernel has: the debuggers.
# shellcheck disable=SC2034 # entry is the caller's
# shellcheck disable=SC2154 # here is the caller's

source_cc=gcc-12

# config_files CONFIG...
config_files() { printf "$here/kernel-config/%s.config\n" "$@"; }

# source_key NAME source SUITE PACKAGE CONFIG...: what the result depends on, but for the package's version, which follows it in the folder's name.
source_key() {
    local package=$4
    shift 4
    # shellcheck disable=SC2046 # a word a file
    { printf '%s\n' "$package" "$source_cc"; cat $(config_files "$@"); } | sha256sum | cut -c1-12
}

# unpack_source PACKAGE FOLDER: FOLDER/source
unpack_source() {
    local package=$1 folder=$2
    [ ! -e "$folder/source/.unpacked" ] || return 0
    rm -rf "$folder/source" "$folder/deb"
    mkdir -p "$folder/source" "$folder/deb"
    info "downloading $package (about 150 MB)"
    (cd "$folder/deb" && APT_CONFIG=$APT_CONFIG apt-get -qq download "$package" >&2) || die 6 "cannot download $package"
    dpkg -x "$folder"/deb/*.deb "$folder/deb"
    info "unpacking $package (1.7 GB)"
    tar -C "$folder/source" --strip-components 1 -xf "$folder/deb/usr/src/$package.tar.xz"
    rm -rf "$folder/deb" "$folder/source/Documentation/translations"
    touch "$folder/source/.unpacked"
}

# kernel_make FOLDER ARG...: ccache makes a second build, for another configuration, cheap.
kernel_make() {
    local folder=$1
    shift
    env -u MAKEFLAGS -u MAKELEVEL -u ARCH CCACHE_DIR="$SCULLPIN_CACHE/ccache" KBUILD_BUILD_TIMESTAMP=2024-01-01 KBUILD_BUILD_USER=scullpin KBUILD_BUILD_HOST=scullpin \
        nice make -C "$folder/source" O="$folder/build" CC="ccache $source_cc" HOSTCC="ccache $source_cc" "$@"
}

# Every symbol that was asked for must be what it was asked to be: a dependency that is not met drops one silently.
check_config() {
    local config=$1 status=0 key value
    shift
    while IFS='=' read -r key value; do
        if [ "$value" = n ]; then
            ! grep -q "^$key=" "$config" || { info "$key is not off"; status=1; }
        else
            grep -qxF "$key=$value" "$config" || { info "$key=$value did not stick: $(grep -E "^$key=|^# $key " "$config")"; status=1; }
        fi
    done < <(awk -F= '/^CONFIG_/ { value[$1] = $0 } END { for (key in value) print value[key] }' "$@")
    return $status
}

# show_progress LOG TOTAL: how far make is, on stderr, until it is killed.
show_progress() {
    local log=$1 total=$2 begin=$SECONDS step=10 done_now left
    [ -t 2 ] || step=60
    while sleep $step; do
        done_now=$(grep -cE '^  (CC|AS|LD|AR|HOSTCC|GEN)' "$log" || true)
        [ "$done_now" -gt 50 ] || continue
        left=$(((SECONDS - begin) * (total > done_now ? total - done_now : 0) / done_now))
        info "building: $done_now of about $total steps, about $((left / 60 + 1)) min left"
    done
}

# fetch_source NAME SUITE PACKAGE CONFIG...: builds in place, so that what was interrupted goes on.
fetch_source() {
    local name=$1 suite=$2 package=$3 APT_CONFIG version progress status=0 configs
    shift 3
    "$here/setup" source
    APT_CONFIG=$(private_apt "$suite")
    version=$(APT_CONFIG=$APT_CONFIG apt-cache policy "$package" | sed -n 's/^  Candidate: //p')
    [ -n "$version" ] || die 6 "no package $package in $suite"
    entry=$SCULLPIN_CACHE/kernels/$name-$(source_key "$name" source "$suite" "$package" "$@")-$version
    mkdir -p "$entry/build"
    lock_kernel "$name"
    [ ! -e "$entry/.complete" ] || return 0
    mapfile -t configs < <(config_files "$@")
    unpack_source "$package" "$entry"
    info "configuring kernel $name"
    kernel_make "$entry" -s tinyconfig >&2
    (cd "$entry/source" && scripts/kconfig/merge_config.sh -O "$entry/build" -m "$entry/build/.config" "${configs[@]}") >"$entry/merge.log"
    kernel_make "$entry" -s olddefconfig >&2
    check_config "$entry/build/.config" "${configs[@]}" || die 1 "kernel $name cannot have the configuration that is wanted"
    info "building kernel $name: about 20 minutes on two cores, once; $entry/build.log"
    show_progress "$entry/build.log" 2400 9>&- &
    progress=$!
    # shellcheck disable=SC2064 # of now
    trap "kill $progress 2>/dev/null" EXIT
    kernel_make "$entry" -j "$(nproc)" bzImage modules >"$entry/build.log" 2>&1 9>&- || status=1
    kill $progress 2>/dev/null || true
    [ $status = 0 ] || { grep -m 5 -E 'error|Error' "$entry/build.log" >&2; die 1 "kernel $name does not build; see $entry/build.log"; }
    kernel_make "$entry" -s INSTALL_MOD_PATH="$entry" INSTALL_MOD_STRIP=1 modules_install >>"$entry/build.log" 2>&1 || die 1 "modules of kernel $name cannot be installed; see $entry/build.log"
    version=$(cat "$entry/build/include/config/kernel.release")
    printf 'VERSION=%s\nVMLINUZ=%s\nMODULES=%s\nKDIR=%s\nROOT=\n' "$version" "$entry/build/arch/x86/boot/bzImage" "$entry" "$entry/build" >"$entry/kernel.env"
    touch "$entry/.complete"
}
