#!/usr/bin/env bash
# bench.sh [ARGUMENT...]: the benchmarks, on each Python that pythons.sh finds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pythons=$(tools/pythons.sh)
interpreters=()
while IFS=$'\t' read -r -u3 python venv; do
    tools/setup_venv.sh "$python" "$venv"
    interpreters+=("$venv/bin/python")
done 3<<<"$pythons"
exec "${interpreters[0]}" benchmarks/run.py --python "${interpreters[@]}" "$@"
