#!/usr/bin/env bash
# test_all.sh [PYTEST ARGUMENT...]: the test suite on each Python that pythons.sh finds. Tests of what
# touches neither the C core nor anything that differs between versions of Python run on one, and so do
# tests that the sanitizers run on both ends: tests_on_one.txt says on which, so that each has about as much
# to do. What needs large libraries runs on a Python between the others, or the first where there is none.
# All random programs run on the oldest and the newest, fewer on those between, which leave out what takes
# long and says the same at both ends (tests_at_ends.txt).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pythons=$(tools/pythons.sh)
ends=$(tools/pythons.sh --ends)
declare -A venv_of=(  # by the words of tests_on_one.txt
    [first]=$(head -n1 <<<"$pythons" | cut -f2)
    [newest]=$(tail -n1 <<<"$ends" | cut -f2)
)
venv_of[libraries]=$(cut -f2 <<<"$pythons" | grep -vxF "${venv_of[first]}"$'\n'"${venv_of[newest]}" | tail -n1) ||
    venv_of[libraries]=${venv_of[first]}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Side by side, because much of it is waiting for a network. The first goes before the others, which are set
# up beside its tests.
declare -A setups=()
while IFS=$'\t' read -r -u3 python venv; do
    peer=.bench/$("$python" -c 'import platform; print(platform.python_version())')
    {
        ((${#setups[@]} == 0)) || renice -n 10 -p $BASHPID >/dev/null
        { tools/setup_peer.sh "$python" "$peer" || echo "$peer: cannot be set up"; } & beside=$!
        with=""
        [[ $venv != "${venv_of[libraries]}" ]] || with=libraries
        tools/setup_venv.sh "$python" "$venv" $with
        # Compiles what tests import, once; the processes that run them would do it each.
        "$venv/bin/python" -m pytest --collect-only -qq "$@" >/dev/null 2>&1 || true
        wait "$beside"
    } &
    setups[$venv]=$!
done 3<<<"$pythons"

workers=$(tools/test_workers.sh)
declare -A runs_on=()  # of a test file the Python that it runs on; what names a file says more than its folder
while read -r -u3 where path; do
    for file in $(find "tests/$path" -name "test_*.py"); do runs_on[$file]=${venv_of[$where]}; done
done 3<tools/tests_on_one.txt

# passed_over VENV: the tests that do not run on it, a line each.
passed_over() {
    local file
    for file in "${!runs_on[@]}"; do
        [[ ${runs_on[$file]} == "$1" ]] || echo "$file"
    done
    grep -qxF "$1" <<<"$(cut -f2 <<<"$ends")"$'\n'"${venv_of[first]}" || sed s,^,tests/, tools/tests_at_ends.txt
}

failed=0
summary=""
# The list is read from descriptor 3, so that the tests keep stdin.
while IFS=$'\t' read -r -u3 python venv; do
    name=$("$python" -c 'import sys; print("Python %d.%d.%d" % sys.version_info[:3])')
    echo "== $name"
    result="FAILED: could not be set up"
    if wait "${setups[$venv]}"; then
        export SCOPE_PROFILER_PEER_PYTHON=$PWD/.bench/${name#Python }/bin/python
        examples=${SCOPE_PROFILER_EXAMPLES-}
        grep -qF "$python"$'\t' <<<"$ends" || examples=${examples:-0.3}
        status=""
        mapfile -t elsewhere < <(passed_over "$venv")
        SCOPE_PROFILER_EXAMPLES=$examples \
            "$venv/bin/python" -m pytest -q -n "$workers" --dist worksteal "${elsewhere[@]/#/--ignore=}" "$@" 2>&1 |
            tee "$log" || status="FAILED: "
        result=$status$(tail -n1 "$log")
    fi
    summary+="$name: $result"$'\n'
    [[ $result != FAILED* ]] || failed=1
done 3<<<"$pythons"

printf '== all\n%s' "$summary"
exit "$failed"
