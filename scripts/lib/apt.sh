# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced, after log.sh and cache.sh. A private apt state, one per suite: packages are found and downloaded without touching the
# system's lists and without root. Mirrors and keyring are those of the system's own sources.

# apt_system_uris: "URI SUITE" of every source the system has, deb822 and one-line form.
apt_system_uris() {
    local file
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -e "$file" ] || continue
        awk 'tolower($1) == "types:" { types = $0 }
             tolower($1) == "uris:" { for (i = 2; i <= NF; i++) uri[i] = $i; uris = NF }
             tolower($1) == "suites:" { for (i = 2; i <= uris; i++) for (j = 2; j <= NF; j++) print uri[i], $j }' "$file"
    done
    { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true; } |
        sed -nE 's/^[[:space:]]*deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+)[[:space:]]+([^[:space:]]+).*/\2 \3/p'
}

# apt_sources SUITE: the lines of a sources.list for one suite, with its updates where the system has such sources.
apt_sources() {
    local suite=$1 codename mirror security
    local sign='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    mirror=$(apt_system_uris | awk -v c="$codename" '$2 == c && !n++ { print $1 }')
    security=$(apt_system_uris | awk -v c="$codename-security" '$2 == c && !n++ { print $1 }')
    [ -n "$mirror" ] || die 6 "the system's apt sources name no Debian mirror for $codename"
    printf 'deb %s %s %s main\ndeb-src %s %s %s main\n' "$sign" "$mirror" "$suite" "$sign" "$mirror" "$suite"
    [ "$suite" != sid ] || return 0
    printf 'deb %s %s %s-updates main\n' "$sign" "$mirror" "$suite"
    [ -z "$security" ] || printf 'deb %s %s %s-security main\n' "$sign" "$security" "$suite"
}

# private_apt SUITE [ARCH]: prints an APT_CONFIG file, its lists fetched when they are older than a day. With ARCH, that is the architecture of a
# package without one in its name, and amd64 a foreign one.
private_apt() {
    local suite=$1 arch=${2:-amd64} state=$SCULLPIN_CACHE/apt/$1${2:+-$2}
    local config="$state/apt.conf"
    mkdir -p "$state"/{lists/partial,cache/archives/partial}
    : >"$state/status"
    apt_sources "$suite" >"$state/sources.list"
    cat >"$config" <<END
Dir::State::lists "$state/lists";
Dir::State::status "$state/status";
Dir::Cache "$state/cache";
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "-";
APT::Architecture "$arch";
APT::Architectures { "$arch"; "amd64"; };
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
END
    if [ -z "$(find "$state/updated" -mmin -1440 2>/dev/null)" ]; then
        info "fetching the package lists of $suite${2:+ for $2}"
        APT_CONFIG="$config" apt-get -qq update >&2 || die 6 "cannot fetch the package lists of $suite; is there a network?"
        touch "$state/updated"
    fi
    printf '%s\n' "$config"
}

# download_closure FOLDER PACKAGE...: with all that they depend on, as for a machine that has nothing.
download_closure() {
    local folder=$1
    shift
    (cd "$folder" && apt-get -qq -o Debug::NoLocking=1 -o Dir::Cache::archives="$folder/" --no-install-recommends --download-only -y install "$@" >&2) || return
    rm -rf "$folder/partial"
}

# unpack_all FOLDER ROOT: every package in FOLDER, which are gone then.
unpack_all() {
    local deb
    mkdir -p "$2"
    for deb in "$1"/*.deb; do
        info "unpacking ${deb##*/}"
        dpkg -x "$deb" "$2"
        rm "$deb"
    done
}
