#!/usr/bin/env bash
# stress.sh [ARGUMENT...]: tests/stress.py, in every mode, on each Python that pythons.sh finds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pythons=$(tools/pythons.sh)

failed=0
# The list is read from descriptor 3, so that the programs keep stdin.
while IFS=$'\t' read -r -u3 python venv; do
    if tools/setup_venv.sh "$python" "$venv"; then
        "$venv/bin/python" tests/stress.py --mode all "$@" || failed=1
    else
        echo "$python: FAILED: could not be set up"
        failed=1
    fi
done 3<<<"$pythons"
exit "$failed"
