#!/usr/bin/env bash
# bench.sh [--ends] [ARGUMENT...]: the benchmarks, on each Python that pythons.sh finds; with --ends on
# the oldest and the newest alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ends=()
if [[ ${1:-} == --ends ]]; then
    ends=("$1")
    shift
fi
pythons=$(tools/pythons.sh "${ends[@]}")
interpreters=()
while IFS=$'\t' read -r -u3 python venv; do
    tools/setup_venv.sh "$python" "$venv"
    interpreters+=("$venv/bin/python")
done 3<<<"$pythons"
exec "${interpreters[0]}" benchmarks/run.py --python "${interpreters[@]}" "$@"
