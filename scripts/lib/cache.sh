# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The cache outside the tree: everything in it is keyed by content and safe to delete.

SCULLPIN_CACHE=${SCULLPIN_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/scullpin}

# lock_kernel NAME: until this process ends, no other one makes that kernel.
lock_kernel() {
    exec 9>"$SCULLPIN_CACHE/kernels/.lock-$1"
    flock -n 9 || { info "another process makes kernel $1; waiting for it"; flock 9; }
}

# cache_publish TEMP FINAL: a finished entry appears whole, or not at all.
cache_publish() {
    mkdir -p "$(dirname "$2")"
    # A folder cannot be renamed over one that has files; a file can, even while somebody reads the old one.
    [ ! -d "$2" ] || rm -rf "$2"
    mv -fT "$1" "$2"
}
