#!/usr/bin/env bash
# asan.sh [PYTEST ARGUMENT...]: the tests that get to C, on builds with gcc's address and
# undefined-behaviour sanitizers, on the oldest and the newest Python that pythons.sh finds. Any report
# fails it, also one from a subprocess whose exit code nobody looks at.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pythons=$(tools/pythons.sh --ends)
while IFS=$'\t' read -r -u3 python venv; do
    tools/setup_venv.sh "$python" "$venv"
done 3<<<"$pythons"
root=$PWD

# In copies, because builds lie beside the sources, where these would replace the plain ones. They come
# first on the path of the environments of the plain ones. Greenlets copy the stack about, and with it
# the gaps that the sanitizer keeps between variables, so they have a build without these gaps; on the
# oldest Python it is the only one.
copy=$root/build/asan
reports=$copy/reports
rm -rf "$copy"
for flavour in all greenlets; do
    mkdir -p "$copy/$flavour"
    tar -cf - --exclude=./build --exclude=./.git --exclude='./.venv*' --exclude=./.bench --exclude='*.so' . |
        tar -xf - -C "$copy/$flavour"
done
mkdir "$reports"

# build VENV FLAVOUR FLAG...: the core. Python's own flags make overflow wrap, -fno-wrapv has it
# reported. Undefined behaviour traps, and the address sanitizer reports the signal: the other
# sanitizer would not write to our log files. Instrumented code draws warnings that are not about our
# sources.
build() {
    cd "$copy/$2"
    SCOPE_PROFILER_WERROR=0 SCOPE_PROFILER_LDFLAGS="-fsanitize=address" \
        SCOPE_PROFILER_CFLAGS="-O1 -g1 -fno-omit-frame-pointer -fno-wrapv \
            -fsanitize=address,undefined -fsanitize-undefined-trap-on-error ${*:3}" \
        "$root/$1/bin/python" setup.py -q build_ext --inplace --force
}

newest=$(tail -n1 <<<"$pythons" | cut -f2)
builds=()
while IFS=$'\t' read -r -u3 python venv; do
    build "$venv" greenlets --param asan-stack=0 & builds+=($!)
    [[ $venv != "$newest" ]] || { build "$venv" all & builds+=($!); }
done 3<<<"$pythons"
for one in "${builds[@]}"; do wait "$one"; done

# sanitized FLAVOUR ARGUMENT...: the current Python with these. The interpreter is not built with the
# sanitizer, so its runtime has to be loaded first; and libstdc++ with it, or exceptions thrown in C++
# extensions are taken for errors.
sanitized() (
    cd "$copy/$1"
    PYTHONPATH=$PWD PYTHONMALLOC=malloc LD_PRELOAD="$runtime libstdc++.so.6" \
        ASAN_OPTIONS="detect_leaks=0:handle_sigill=1:log_path=\"$reports/report\"" \
        "$root/$venv/bin/python" "${@:2}"
)

# The tests that get to C, and of those with many processes the ones that C is in doubt in; on the
# oldest Python those of what it does in a way of its own. Without faulthandler, which is shown a crash.
# Left out, too: what loads large programs in children, or starts many, and gets to no C that the others
# do not; and what crashes on purpose. And a fork beside the thread of the sampler: that may be in the
# allocator, which the sanitizer's, unlike the C library's, does not wait for.
mapfile -t without < <(awk '{ print $2 }' tools/tests_on_one.txt | grep -vxF base/test_termination.py)
without+=(base/test_local.py base/test_unrecorded.py instrument/test_named_targets.py
          journal/test_kills.py model/test_recorded.py)
words="not spawn and not forkserver and not subprocess_starts and not (sampler and child_of_a_fork)"
words+=" and (not test_termination or test_in_every_mode or core_checks) and (not test_forks or in_threads and track_)"
tests=(tests/{base,calls,counters,instrument,journal,lines,model,python,record,sampler} tests/run/test_forks.py
       tests/runtime/test_thread_watch.py tests/report/test_report.py
       tests/whole/test_{bad_arguments,drop_in,protocols,random_programs,stress}.py)
oldest=(tests/{calls,lines,sampler} tests/record/test_{open_call,task}.py
        tests/python/test_{generator_proxy,module,wrapper}.py tests/instrument/test_overhead.py
        tests/whole/test_{protocols,random_programs}.py)
with_greenlets=($(grep -rl --include='test_*.py' greenlet tests) tests/whole/test_live_objects.py)
pytest=(-m pytest -q -n "$(tools/test_workers.sh)" --dist worksteal -p no:faulthandler -p no:cacheprovider)
export SCOPE_PROFILER_EXAMPLES=0.15

passed=1
while IFS=$'\t' read -r -u3 python venv; do
    "$python" --version
    suffix=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
    runtime=$(ldd "$copy/greenlets/scope_profiler/_core$suffix" | awk '/libasan/ { print $3 }')
    if [[ -z $runtime ]]; then
        echo "error: the extension is not linked with libasan.so (this needs gcc)" >&2
        exit 1
    fi
    for flavour in all greenlets; do
        core=$copy/$flavour/scope_profiler/_core$suffix
        [[ -e $core ]] || continue
        if [[ $(sanitized $flavour -c "import scope_profiler._core as c; print(c.__file__)") != "$core" ]]; then
            echo "error: $venv does not take the build in $copy" >&2
            exit 1
        fi
    done
    if [[ $venv == "$newest" ]]; then
        sanitized all "${pytest[@]}" -k "$words and not greenlet and not live_objects" \
            "${without[@]/#/--ignore-glob=tests/}" "${tests[@]}" "$@" || passed=0
        sanitized greenlets "${pytest[@]}" -k "greenlet or live_objects" "${with_greenlets[@]}" || passed=0
    else
        sanitized greenlets "${pytest[@]}" -k "$words" "${oldest[@]}" tests/whole/test_live_objects.py "$@" || passed=0
    fi
done 3<<<"$pythons"

for report in "$reports"/*; do
    [[ -e $report ]] || continue
    cat "$report" >&2
    passed=0
done
((passed)) || { echo "error: failures or sanitizer reports, see above" >&2; exit 1; }
