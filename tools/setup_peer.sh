#!/usr/bin/env bash
# setup_peer.sh PYTHON VENV [PACKAGE...]: a virtual environment with the packages that ours is
# compared with, and more if named. The tests that need them are skipped, with a printed reason,
# where they cannot be had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
base=$1
venv=$2
packages=(scope-profiler==0.7.5 line_profiler==5.1.0 memory_profiler==0.61.0 "${@:3}")

stamp="$("$base" -VV) ${packages[*]}"
[[ $(cat "$venv/.peer" 2>/dev/null || true) == "$stamp" ]] && exit
echo "$venv: installing ${packages[*]}"
mkdir -p "$(dirname "$venv")"
"$base" -m venv --clear --without-pip "$venv"
tools/install.sh "$venv/bin/python" "${packages[@]}"
echo "$stamp" >"$venv/.peer"
