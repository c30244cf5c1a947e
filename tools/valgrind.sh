#!/usr/bin/env bash
# valgrind.sh: a short subset of the tests under valgrind, which is some thirty times slower.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v valgrind >/dev/null; then
    echo "error: valgrind is not installed" >&2
    exit 1
fi
IFS=$'\t' read -r python venv < <(tools/pythons.sh --default)
tools/setup_venv.sh "$python" "$venv"

export PYTHONMALLOC=malloc  # Python's own allocator would hide mistakes from valgrind
check=(valgrind --quiet --error-exitcode=1 --suppressions=tools/valgrind.supp)
# CPython 3.11 multiplies an undefined digit by zero, and every integer made that way is undefined to
# valgrind from there on. Invalid accesses are still found.
if ! "${check[@]}" "$python" -S -c pass 2>/dev/null; then
    echo "this Python itself uses undefined values: only memory accesses are checked"
    check+=(--undef-value-errors=no)
fi
exec "${check[@]}" "$venv/bin/python" -m pytest -q tests/valgrind_smoke.py
