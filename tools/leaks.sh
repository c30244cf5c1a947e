#!/usr/bin/env bash
# leaks.sh: runs the scripts in tests/leaks, each of which exits non-zero when it finds a leak, on the
# oldest and the newest Python that pythons.sh finds, and on a debug build, where they count references.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pythons=$(tools/pythons.sh --ends; tools/pythons.sh --debug)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# check PYTHON VENV: fails when a script does.
check() {
    local failed=0 script
    "$1" -VV
    tools/setup_venv.sh "$1" "$2" || return 1
    for script in tests/leaks/[!_]*.py; do
        if "$2/bin/python" "$script"; then
            echo "$script: passed"
        else
            echo "$script: FAILED"
            failed=1
        fi
    done
    return "$failed"
}

# Side by side: each takes one processor.
checks=()
while IFS=$'\t' read -r -u3 python venv; do
    check "$python" "$venv" >"$logs/${#checks[@]}" 2>&1 &
    checks+=($!)
done 3<<<"$pythons"

failed=0
for number in "${!checks[@]}"; do
    wait "${checks[number]}" || failed=1
    cat "$logs/$number"
done
exit "$failed"
