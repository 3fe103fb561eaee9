# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by scripts/kernel. Kernels that Debian has built: image, modules and headers are unpacked into the cache.
# shellcheck disable=SC2034 # entry is the caller's

# package_closure META...: the kernel's own packages that the metas lead to.
package_closure() {
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$@" |
        grep -E '^linux-(image|binary|modules|base|headers|kbuild|compiler)-[0-9g]' | grep -v -- '-cloud-\|-rt-' | sort -u
}

# What it takes to build a module in a root of its own; headers bring their compiler.
build_tools='make dash coreutils sed grep mawk findutils base-files libc-bin'

# Headers unpacked elsewhere still point at /usr/src: rewrite their one-line makefiles.
relocate_headers() {
    local root=$1 makefile
    for makefile in "$root"/usr/src/linux-headers-*/Makefile; do
        [ "$(wc -l <"$makefile")" -ge 5 ] ||
            sed -i "s#\(^include \|^KBUILD_OUTPUT=\)/usr/src/#\1$root/usr/src/#" "$makefile"
    done
}

# first_of FILE...: the first that exists.
first_of() {
    local file
    for file; do [ ! -e "$file" ] || { printf '%s\n' "$file"; return; }; done
    die 6 "none of these exists: $*"
}

write_env() {
    local version=$1 root=$2 how=$3 kdir=$2/usr/src/linux-headers-$1 build_root='' image modules
    [ "$how" != root ] || { build_root=$root/build-root; kdir=/usr/src/linux-headers-$version; }
    image=$(first_of "$root/boot/vmlinuz-$version" "$root/usr/lib/modules/$version/vmlinuz")
    modules=$(first_of "$root/lib/modules/$version" "$root/usr/lib/modules/$version")
    printf 'VERSION=%s\nVMLINUZ=%s\nMODULES=%s\nKDIR=%s\nROOT=%s\n' "$version" "$image" "${modules%/lib/modules/*}" "$kdir" "$build_root" >"$root/kernel.env"
}

# fetch_packages host|cross|root NAME SUITE IMAGE HEADERS: IMAGE ends with the architecture.
fetch_packages() {
    local how=$1 name=$2 suite=$3 image=$4 headers=$5 arch=${4##*-} temp packages key version
    APT_CONFIG=$(if [ "$how" = cross ]; then private_apt "$suite" "$arch"; else private_apt "$suite"; fi)
    export APT_CONFIG
    packages=$(package_closure "$image" "$headers")
    # The headers' own programs run here: of those, and of nothing else, the foreign package is the right one.
    [ "$how" != cross ] || packages=$(printf '%s\n' "$packages" | sed -E '/:amd64$/d; s/^(linux-kbuild-.*)$/\1:amd64/')
    version=$(printf '%s\n' "$packages" | sed -n "s/^linux-image-\([0-9].*-$arch\)\$/\1/p" | tail -n 1)
    [ -n "$version" ] || die 6 "no package in $suite provides kernel $name"
    # shellcheck disable=SC2086
    key=$({ apt-cache policy $packages | sed -n 's/^  Candidate: //p'; printf '%s\n' "$how" "$build_tools"; } | sha256sum | cut -c1-12)
    entry=$SCULLPIN_CACHE/kernels/$version-$key
    lock_kernel "$name"
    [ ! -e "$entry/.complete" ] || return 0
    temp=$(mktemp -d "$SCULLPIN_CACHE/kernels/.fetch-XXXXXX")
    # shellcheck disable=SC2064 # of now
    trap "rm -rf '$temp'" EXIT
    if [ "$how" = root ]; then
        packages=$(printf '%s\n' "$packages" | grep -E '^linux-(image|binary|modules|base)-')
        info "downloading what builds modules for kernel $version (about 80 MB)"
        mkdir "$temp/debs"
        # shellcheck disable=SC2086
        download_closure "$temp/debs" $build_tools "$headers" || die 6 "cannot download the build tools of $suite"
        unpack_all "$temp/debs" "$temp/root/build-root"
        # update-alternatives did not run.
        ln -sf mawk "$temp/root/build-root/usr/bin/awk"
        rm -rf "$temp/root/build-root/usr/share"/{locale,man,doc,info}
    fi
    info "downloading kernel $version (about 100 MB)"
    # shellcheck disable=SC2086
    (cd "$temp" && apt-get -qq download $packages >&2) || die 6 "cannot download kernel $version"
    unpack_all "$temp" "$temp/root"
    depmod -b "$temp/root" "$version" 2>/dev/null || depmod -b "$temp/root/usr" "$version"
    cache_publish "$temp/root" "$entry"
    [ "$how" = root ] || relocate_headers "$entry"
    write_env "$version" "$entry" "$how"
    touch "$entry/.complete"
    rm -rf "$temp"
    trap - EXIT
}
