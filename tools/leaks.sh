#!/usr/bin/env bash
# leaks.sh: runs the scripts in tests/leaks, each of which exits non-zero when it finds a leak.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

IFS=$'\t' read -r python venv < <(tools/pythons.sh --default)
tools/setup_venv.sh "$python" "$venv"

failed=0
for script in tests/leaks/[!_]*.py; do
    if "$venv/bin/python" "$script"; then
        echo "$script: passed"
    else
        echo "$script: FAILED"
        failed=1
    fi
done
exit "$failed"
