# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The cache outside the tree: everything in it is keyed by content and safe to delete.

SCULLPIN_CACHE=${SCULLPIN_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/scullpin}

# cache_publish TEMP FINAL: a finished entry appears whole, or not at all.
cache_publish() {
    mkdir -p "$(dirname "$2")"
    # A folder cannot be renamed over one that has files; a file can, even while somebody reads the old one.
    [ ! -d "$2" ] || rm -rf "$2"
    mv -fT "$1" "$2"
}
