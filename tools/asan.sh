#!/usr/bin/env bash
# asan.sh [PYTEST ARGUMENT...]: the test suite on a build with gcc's address and undefined-behaviour
# sanitizers. Any report fails it, also one from a subprocess whose exit code nobody looks at.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

IFS=$'\t' read -r python _ < <(tools/pythons.sh --default)

# In a copy, because editable builds lie beside the sources, where this one would replace the plain
# one of the same Python. The environment in it is kept from run to run.
copy=build/asan
mkdir -p "$copy"
find "$copy" -mindepth 1 -maxdepth 1 ! -name .venv -exec rm -rf {} +
tar -cf - --exclude=./build --exclude=./.git --exclude='./.venv*' --exclude='*.so' . |
    tar -xf - -C "$copy"
cd "$copy"

# Python's own flags make overflow wrap, -fno-wrapv has it reported. Undefined behaviour traps, and
# the address sanitizer reports the signal: the other sanitizer would not write to our log files.
export SCOPE_PROFILER_CFLAGS="-O1 -g -fno-omit-frame-pointer -fno-wrapv \
    -fsanitize=address,undefined -fsanitize-undefined-trap-on-error"
export SCOPE_PROFILER_LDFLAGS="-fsanitize=address"
export SCOPE_PROFILER_WERROR=0  # instrumented code draws warnings that are not about our sources
tools/setup_venv.sh "$python" .venv

# The interpreter is not built with the sanitizer, so its runtime has to be loaded first; and
# libstdc++ with it, or exceptions thrown in C++ extensions are taken for errors.
runtime=$(ldd scope_profiler/_core.*.so | awk '/libasan/ { print $3 }')
if [[ -z $runtime ]]; then
    echo "error: the extension is not linked with libasan.so (this needs gcc)" >&2
    exit 1
fi

# What does not get to the C core, or does so in processes of its own, or together with C that is not
# ours: of that, greenlets copy the stack about, and faulthandler is shown a crash.
without=(build.py typing.py compatibility.py docs.py examples.py cli.py options.py settings.py
         configuration.py environment.py profiling_config.py warning.py json.py hdf5_reader.py
         hdf5_writer.py hdf5_peer.py results.py results_peer.py other_tools.py correctness.py
         processes.py process_end.py)

reports=$PWD/reports
mkdir "$reports"
passed=1
env LD_PRELOAD="$runtime libstdc++.so.6" \
    ASAN_OPTIONS="detect_leaks=0:handle_sigill=1:log_path=\"$reports/report\"" \
    PYTHONMALLOC=malloc \
    .venv/bin/python -m pytest -q -n auto --dist loadfile -p no:faulthandler -m "not timing" -k "not greenlet" \
    "${without[@]/#/--ignore=tests/test_}" "$@" ||
    passed=0

for report in "$reports"/*; do
    [[ -e $report ]] || continue
    cat "$report" >&2
    passed=0
done
((passed)) || { echo "error: failures or sanitizer reports, see above" >&2; exit 1; }
