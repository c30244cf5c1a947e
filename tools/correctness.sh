#!/usr/bin/env bash
# correctness.sh [ARGUMENT...]: the cases of correctness/, on each Python that pythons.sh finds.
# Writes docs/correctness.md; arguments, those of correctness/run.py, take the place of that.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

peers=(codetiming==1.4.0 yappi==1.7.6 viztracer==1.1.1)

pythons=$(tools/pythons.sh)
pairs=()
while IFS=$'\t' read -r -u3 python venv; do
    version=$("$python" -c 'import platform; print(platform.python_version())')
    peer=.bench/correctness-$version
    tools/setup_venv.sh "$python" "$venv"
    tools/setup_peer.sh "$python" "$peer" "${peers[@]}"
    pairs+=(--pair "$PWD/$venv/bin/python" "$PWD/$peer/bin/python")
done 3<<<"$pythons"
(($#)) || set -- --write
exec "${pairs[1]}" correctness/run.py "${pairs[@]}" "$@"
