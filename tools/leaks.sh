#!/usr/bin/env bash
# leaks.sh: runs the scripts in tests/leaks, each of which exits non-zero when it finds a leak, on the
# oldest and the newest Python that pythons.sh finds, and on a debug build, where they count references.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pythons=$(tools/pythons.sh --ends; tools/pythons.sh --debug)

failed=0
while IFS=$'\t' read -r -u3 python venv; do
    "$python" -VV
    tools/setup_venv.sh "$python" "$venv" || { failed=1; continue; }
    for script in tests/leaks/[!_]*.py; do
        if "$venv/bin/python" "$script"; then
            echo "$script: passed"
        else
            echo "$script: FAILED"
            failed=1
        fi
    done
done 3<<<"$pythons"
exit "$failed"
