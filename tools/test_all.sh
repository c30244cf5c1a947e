#!/usr/bin/env bash
# test_all.sh [PYTEST ARGUMENT...]: the test suite on each Python that pythons.sh finds. Tests of what
# touches neither the C core nor anything that differs between versions of Python run on one, and so do
# tests that the sanitizers run on both ends (tests_on_one.txt): the first, or the newest, that each has its
# share (tests_on_newest.txt). All random programs run on the oldest and the newest, fewer on those between,
# which leave out what starts many processes (tests_at_ends.txt).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pythons=$(tools/pythons.sh)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Side by side, because much of it is waiting for a network. The first goes before the others, which are set
# up beside its tests.
declare -A setups=()
with=once
while IFS=$'\t' read -r -u3 python venv; do
    peer=.bench/$("$python" -c 'import platform; print(platform.python_version())')
    {
        ((${#setups[@]} == 0)) || renice -n 10 -p $BASHPID >/dev/null
        { tools/setup_peer.sh "$python" "$peer" || echo "$peer: cannot be set up"; } & beside=$!
        tools/setup_venv.sh "$python" "$venv" $with
        # Compiles what tests import, once; the processes that run them would do it each.
        "$venv/bin/python" -m pytest --collect-only -qq "$@" >/dev/null 2>&1 || true
        wait "$beside"
    } &
    setups[$venv]=$!
    with=""
done 3<<<"$pythons"

ends=$(tools/pythons.sh --ends)
workers=$(tools/test_workers.sh)
first=$(head -n1 <<<"$pythons" | cut -f2)
newest=$(tail -n1 <<<"$ends" | cut -f2)
once=$(sed s,^,tests/, tools/tests_on_one.txt | xargs -I{} find {} -name "test_*.py")
share=$(sed s,^,tests/, tools/tests_on_newest.txt)
between=$(sed s,^,tests/, tools/tests_at_ends.txt)

# passed_over VENV: the tests that run on another Python, a line each.
passed_over() {
    case $1 in
    "$first") [[ $1 == "$newest" ]] || echo "$share" ;;
    "$newest") grep -vxF "$share" <<<"$once" ;;
    *)
        echo "$once"
        grep -qxF "$1" <<<"$(cut -f2 <<<"$ends")" || echo "$between"
        ;;
    esac
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
