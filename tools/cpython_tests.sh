#!/usr/bin/env bash
# cpython_tests.sh [ARGUMENT...]: CPython's own tests under the profiler (tests/cpython/run.py, whose
# arguments these are), on the oldest and the newest Python that pythons.sh finds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pythons=$(tools/pythons.sh --ends)

failed=0
while IFS=$'\t' read -r -u3 python venv; do
    if ! "$python" -c 'import test.support, unittest' 2>/dev/null; then
        echo "$python: passed over: installed without its test package"
    elif ! tools/setup_venv.sh "$python" "$venv"; then
        echo "$python: FAILED: could not be set up"
        failed=1
    else
        "$venv/bin/python" tests/cpython/run.py "$@" || failed=1
    fi
done 3<<<"$pythons"
exit "$failed"
