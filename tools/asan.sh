#!/usr/bin/env bash
# asan.sh [PYTEST ARGUMENT...]: the test suite on builds with gcc's address and undefined-behaviour
# sanitizers, on the oldest and the newest Python that pythons.sh finds. Any report fails it, also one
# from a subprocess whose exit code nobody looks at.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pythons=$(tools/pythons.sh --ends)
while IFS=$'\t' read -r -u3 python venv; do
    tools/setup_venv.sh "$python" "$venv"
done 3<<<"$pythons"
root=$PWD

# In a copy, because builds lie beside the sources, where these would replace the plain ones. It comes
# first on the path of the environments of the plain ones.
copy=build/asan
rm -rf "$copy"
mkdir -p "$copy"
tar -cf - --exclude=./build --exclude=./.git --exclude='./.venv*' --exclude=./.bench --exclude='*.so' . |
    tar -xf - -C "$copy"
cd "$copy"
mkdir reports

# build FLAG...: the core of the current Python. Python's own flags make overflow wrap, -fno-wrapv has
# it reported. Undefined behaviour traps, and the address sanitizer reports the signal: the other
# sanitizer would not write to our log files. Instrumented code draws warnings that are not about our
# sources.
build() {
    SCOPE_PROFILER_WERROR=0 SCOPE_PROFILER_LDFLAGS="-fsanitize=address" \
        SCOPE_PROFILER_CFLAGS="-O1 -g -fno-omit-frame-pointer -fno-wrapv \
            -fsanitize=address,undefined -fsanitize-undefined-trap-on-error $*" \
        "$venv/bin/python" setup.py -q build_ext --inplace --force
}

# sanitized ARGUMENT...: the current Python with these. The interpreter is not built with the sanitizer,
# so its runtime has to be loaded first; and libstdc++ with it, or exceptions thrown in C++ extensions
# are taken for errors.
sanitized() {
    PYTHONPATH=$PWD PYTHONMALLOC=malloc LD_PRELOAD="$runtime libstdc++.so.6" \
        ASAN_OPTIONS="detect_leaks=0:handle_sigill=1:log_path=\"$PWD/reports/report\"" \
        "$venv/bin/python" "$@"
}

# What does not get to the C core, or does so in processes of its own, or together with C that is not
# ours: faulthandler is shown a crash.
mapfile -t without <tools/tests_without_core.txt
without+=(cli runtime/test_process* whole/test_cpython.py whole/test_other_tools.py)
pytest=(-m pytest -q -p no:faulthandler -p no:cacheprovider)
with_greenlets=(-k "greenlet or live_objects" $(grep -rl --include='test_*.py' greenlet tests)
                tests/whole/test_live_objects.py)

passed=1
while IFS=$'\t' read -r -u3 python venv; do
    "$python" --version
    venv=$root/$venv
    build
    core=scope_profiler/_core$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
    runtime=$(ldd "$core" | awk '/libasan/ { print $3 }')
    if [[ -z $runtime ]]; then
        echo "error: the extension is not linked with libasan.so (this needs gcc)" >&2
        exit 1
    fi
    if [[ $(sanitized -c "import scope_profiler._core as c; print(c.__file__)") != "$PWD/$core" ]]; then
        echo "error: $venv does not take the build in $PWD" >&2
        exit 1
    fi
    sanitized "${pytest[@]}" -n auto --dist worksteal -m "not timing" -k "not greenlet and not live_objects" \
        "${without[@]/#/--ignore-glob=tests/}" "$@" || passed=0

    # Greenlets copy the stack about, and with it the gaps that the sanitizer keeps between variables.
    build --param asan-stack=0
    sanitized "${pytest[@]}" -n auto "${with_greenlets[@]}" || passed=0
done 3<<<"$pythons"

for report in reports/*; do
    [[ -e $report ]] || continue
    cat "$report" >&2
    passed=0
done
((passed)) || { echo "error: failures or sanitizer reports, see above" >&2; exit 1; }
