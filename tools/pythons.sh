#!/usr/bin/env bash
# pythons.sh [--default | --ends | --debug]: prints "python<TAB>venv" for each Python to use, one per
# minor version, the default first; with --default only that, with --ends the oldest and the newest,
# which take different ways through the C core, with --debug the newest debug build, or nothing.
# $PYTHON (a command, a path or a version such as 3.12) restricts it to one. Says on stderr why a
# supported version, or a debug build, is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

supported="3.11 3.12 3.13"

# candidates MINOR...: what may be Python 3.MINOR: pyenv's, newest first, then those on PATH.
candidates() {
    local minor
    for minor in "$@"; do
        printf '%s\n' "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/3.$minor"*/bin/python | sort -rV
        type -ap "python3.$minor" || true
    done
}

# look PYTHON: sets version, python and problem; fails if it does not run or has a problem.
rejected=""  # "version python problem" lines
look() {
    IFS=$'\t' read -r version python problem < <("$1" tools/probe_python.py 2>/dev/null) || return 1
    [[ -z $problem ]] && return
    rejected+="$version $python $problem"$'\n'
    return 1
}

# pick: looks at the candidates on stdin until one is fit.
pick() {
    local candidate
    while IFS= read -r candidate; do
        look "$candidate" && return
    done
    return 1
}

print_pair() {
    local venv=.venv
    [[ $version == "$default" ]] || venv=.venv-$version
    printf '%s\t%s\n' "$python" "$venv"
}

# ends: of the pairs on stdin the oldest and the newest; once when they are the same.
ends() {
    local pair
    while IFS= read -r pair; do
        printf '%s\t%s\n' "$("${pair%%$'\t'*}" -c 'import sys; print(sys.version_info[1])')" "$pair"
    done | sort -n | sed -n '1p;$p' | uniq | cut -f2-
}

if [[ ${1-} == --ends ]]; then
    "$0" | ends
    exit
fi

newest_first=$(seq 19 -1 11)

# debug_candidates: as pyenv and Debian name them.
debug_candidates() {
    local minor
    for minor in $newest_first; do
        printf '%s\n' "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/3.$minor"*-debug/bin/python | sort -rV
        type -ap "python3.$minor-dbg" "python3.${minor}d" || true
    done
}

if [[ ${1-} == --debug ]]; then
    while IFS= read -r candidate; do
        "$candidate" -c 'import sys; sys.gettotalrefcount' 2>/dev/null || continue
        look "$candidate" || continue
        printf '%s\t.venv-%s-debug\n' "$python" "$version"
        exit
    done < <(debug_candidates)
    echo "no debug build of CPython (pyenv install --debug, or Debian's python3-dbg)" >&2
    echo -n "$rejected" >&2
    exit
fi

if ! pick < <(echo python3; candidates $newest_first); then
    echo "error: no Python that fits: CPython 3.11 or newer, with its headers and venv" >&2
    echo -n "$rejected" >&2
    exit 1
fi
default=$version

if [[ -n ${PYTHON-} ]]; then
    number=${PYTHON##*3.}  # python3.12 and 3.12 may be found where PATH does not lead
    [[ $PYTHON =~ ^(python)?3\.[0-9]+$ ]] || number=""
    if ! pick < <(echo "$PYTHON"; candidates $number); then
        echo "error: PYTHON=$PYTHON ${problem:-does not run}" >&2
        exit 1
    fi
    print_pair
    exit
fi

print_pair
[[ ${1-} == --default ]] && exit
found=" $default "
for number in $newest_first; do
    [[ $found == *" 3.$number "* ]] && continue
    pick < <(candidates "$number") || continue
    print_pair
    found+="$version "
done

for wanted in $supported; do
    [[ $found == *" $wanted "* ]] && continue
    reason=$(grep -m1 "^$wanted " <<<"$rejected" | cut -d' ' -f2-) || true
    echo "no Python $wanted: ${reason:-not on PATH and not under pyenv}" >&2
done
