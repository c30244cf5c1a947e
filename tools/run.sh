#!/usr/bin/env bash
# run.sh ARGUMENT...: runs the default Python's environment, set up first, with these arguments.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

IFS=$'\t' read -r python venv < <(tools/pythons.sh --default)
tools/setup_venv.sh "$python" "$venv"
exec "$venv/bin/python" "$@"
