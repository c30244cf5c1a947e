#!/usr/bin/env bash
# test_all.sh [PYTEST ARGUMENT...]: the test suite on each Python that pythons.sh finds. Tests of what
# touches neither the C core nor anything that differs between versions of Python (tests_without_core.txt)
# run on one of them, a file here, the next there. All random programs run on the oldest and the newest,
# fewer on those between.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pythons=$(tools/pythons.sh)
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
        tools/setup_venv.sh "$python" "$venv" once
        # Compiles what tests import, once; the processes that run them would do it each.
        "$venv/bin/python" -m pytest --collect-only -qq "$@" >/dev/null 2>&1 || true
        wait "$beside"
    } &
    setups[$venv]=$!
done 3<<<"$pythons"

ends=$(tools/pythons.sh --ends)
workers=$(tools/test_workers.sh)
mapfile -t once < <(sed s,^,tests/, tools/tests_without_core.txt | xargs -I{} find {} -name "test_*.py" | LC_ALL=C sort)

failed=0
summary=""
turn=0
# The list is read from descriptor 3, so that the tests keep stdin.
while IFS=$'\t' read -r -u3 python venv; do
    name=$("$python" -c 'import sys; print("Python %d.%d.%d" % sys.version_info[:3])')
    echo "== $name"
    elsewhere=()
    for at in "${!once[@]}"; do
        ((at % ${#setups[@]} == turn)) || elsewhere+=("--ignore=${once[at]}")
    done
    turn=$((turn + 1))
    result="FAILED: could not be set up"
    if wait "${setups[$venv]}"; then
        export SCOPE_PROFILER_PEER_PYTHON=$PWD/.bench/${name#Python }/bin/python
        examples=${SCOPE_PROFILER_EXAMPLES-}
        grep -qF "$python"$'\t' <<<"$ends" || examples=${examples:-50}
        status=""
        SCOPE_PROFILER_EXAMPLES=$examples \
            "$venv/bin/python" -m pytest -q -n "$workers" --dist worksteal "${elsewhere[@]}" "$@" 2>&1 |
            tee "$log" || status="FAILED: "
        result=$status$(tail -n1 "$log")
    fi
    summary+="$name: $result"$'\n'
    [[ $result != FAILED* ]] || failed=1
done 3<<<"$pythons"

printf '== all\n%s' "$summary"
exit "$failed"
