#!/usr/bin/env bash
# test_all.sh [PYTEST ARGUMENT...]: the test suite on each Python that pythons.sh finds. Tests of what
# touches neither the C core nor anything that differs between versions of Python run on the first
# (tests_without_core.txt).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pythons=$(tools/pythons.sh)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

mapfile -t once <tools/tests_without_core.txt

failed=0
summary=""
passed_over=()
# The list is read from descriptor 3, so that the tests keep stdin.
while IFS=$'\t' read -r -u3 python venv; do
    name=$("$python" -c 'import sys; print("Python %d.%d.%d" % sys.version_info[:3])')
    echo "== $name"
    result="FAILED: could not be set up"
    if tools/setup_venv.sh "$python" "$venv"; then
        peer=.bench/${name#Python }
        tools/setup_peer.sh "$python" "$peer" || echo "$peer: cannot be set up"
        export SCOPE_PROFILER_PEER_PYTHON=$PWD/$peer/bin/python
        status=""
        # A process for each processor; one that has nothing left takes tests from the other.
        "$venv/bin/python" -m pytest -q -n auto --dist worksteal "${passed_over[@]}" "$@" 2>&1 | tee "$log" || status="FAILED: "
        result=$status$(tail -n1 "$log")
    fi
    passed_over=("${once[@]/#/--ignore-glob=tests/}")
    summary+="$name: $result"$'\n'
    [[ $result != FAILED* ]] || failed=1
done 3<<<"$pythons"

printf '== all\n%s' "$summary"
exit "$failed"
