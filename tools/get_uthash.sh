#!/usr/bin/env bash
# get_uthash.sh PYTHON: sees to it that the build will find uthash.h, on Debian by installing it.
# PYTHON needs setuptools, since setup.py is asked: it alone knows where to look.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_uthash() {
    "$1" -c 'import runpy; runpy.run_path("setup.py")["find_uthash"]()'
}

apt_install() {
    local sudo=()
    ((EUID == 0)) || sudo=(sudo -n)
    exec 9<"$BASH_SOURCE"
    flock 9  # environments are set up side by side
    echo "uthash.h: installing the package uthash-dev"
    # One unreachable repository makes the update fail although the package may be there.
    "${sudo[@]}" apt-get update -qq || true
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq uthash-dev >/dev/null
}

can_apt() {
    command -v apt-get >/dev/null && { ((EUID == 0)) || sudo -n true 2>/dev/null; }
}

if ! find_uthash "$1" 2>/dev/null; then
    # A directory that was named and is wrong is for its author to put right.
    if [[ -z ${UTHASH_INCLUDE_DIR-} ]] && can_apt; then
        apt_install || true
    fi
    find_uthash "$1"
fi
