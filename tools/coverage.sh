#!/usr/bin/env bash
# coverage.sh [PYTEST ARGUMENT...]: which lines of C and Python the tests reach, on the newest Python
# that pythons.sh finds. What tests run in processes of their own counts for C alone. A test that
# fails, as one may that measures or meets another tool, is reported and does no more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

IFS=$'\t' read -r python venv < <(tools/pythons.sh --ends | tail -n1)
tools/setup_venv.sh "$python" "$venv"
python=$PWD/$venv/bin/python

# In a copy, because builds lie beside the sources, where this would replace the plain one.
copy=build/coverage
rm -rf "$copy"
mkdir -p "$copy"
tar -cf - --exclude=./build --exclude=./.git --exclude='./.venv*' --exclude=./.bench --exclude='*.so' . |
    tar -xf - -C "$copy"
cd "$copy"
SCOPE_PROFILER_WERROR=0 SCOPE_PROFILER_CFLAGS="-O0 --coverage -fprofile-update=atomic" \
    SCOPE_PROFILER_LDFLAGS="--coverage" "$python" setup.py -q build_ext --inplace --force

# By sys.monitoring: the tests of line mode need sys.settrace for themselves.
export PYTHONPATH=$PWD COVERAGE_CORE=sysmon COVERAGE_FILE=$PWD/.coverage
"$python" -m coverage run --source=scope_profiler -m pytest -q -p no:cacheprovider "$@" || true

echo "== Python"
"$python" -m coverage report --sort=cover

echo "== C"
objects=$(find build -name '*.gcda')
[[ -n $objects ]] || { echo "error: no test has run the C core" >&2; exit 1; }
# A header is named once for each file that includes it: the best counts.
gcov -n $objects 2>/dev/null | awk -F"'" '
    /^File / { file = $2 }
    /^Lines executed/ && file ~ /^src\// {
        split($0, part, "[:% ]")
        if (!(file in best) || part[3] > best[file]) { best[file] = part[3]; lines[file] = $NF }
        match($0, /of [0-9]+/); count[file] = substr($0, RSTART + 3, RLENGTH - 3); file = ""
    }
    END {
        for (file in best) {
            printf "%6.1f %% of %5d lines  %s\n", best[file], count[file], file
            total += count[file]; reached += count[file] * best[file] / 100
        }
        printf "%6.1f %% of %5d lines  all\n", 100 * reached / total, total
    }' | sort -n
