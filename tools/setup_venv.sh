#!/usr/bin/env bash
# setup_venv.sh PYTHON VENV [libraries]: a virtual environment with this checkout installed into it, editable;
# libraries: with those, too, that some tests work with. Quick when nothing that the extension is built
# from has changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
base=$1
venv=$2
python=$venv/bin/python

install() { tools/install.sh "$python" "$@"; }
say() { echo "$venv: $*"; }

digest() {
    "$python" - "$@" <<'PY'
import hashlib, pathlib, sys
files = ((name, pathlib.Path(name).read_bytes()) for name in sys.argv[1:])
print(hashlib.sha256(repr(list(files)).encode()).hexdigest())
PY
}

# listed KEY...: what stands in pyproject.toml there, a line each.
listed() {
    "$python" - "$@" <<'PY'
import sys, tomllib
with open("pyproject.toml", "rb") as file:
    found = tomllib.load(file)
for key in sys.argv[1:]:
    found = found[key]
print(*found, sep="\n")
PY
}

extension_suffix() {
    "$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))'
}

identity='import sys; print(sys.base_prefix, sys.version)'
if [[ $("$python" -c "$identity" 2>/dev/null) != "$("$base" -c "$identity")" ]]; then
    say "creating it with $base"
    "$base" -m venv --clear --without-pip "$venv"
fi

core=scope_profiler/_core$(extension_suffix)
stamp_file=$venv/.scope_profiler_build

inputs="$PWD ${UTHASH_INCLUDE_DIR-}
${CC-} ${CFLAGS-} ${LDFLAGS-} ${SCOPE_PROFILER_CFLAGS-} ${SCOPE_PROFILER_LDFLAGS-}
$(digest $(find src -name "*.[ch]" | LC_ALL=C sort) setup.py pyproject.toml scope_profiler/_version.py)"
checked="$inputs, without warnings"  # good for any request

stamp=$(cat "$stamp_file" 2>/dev/null || true)
wanted=$inputs
[[ ${SCOPE_PROFILER_WERROR-} == 1 ]] && wanted=$checked
if [[ ! -e $core || $stamp != "$checked" && $stamp != "$wanted" ]]; then
    say "installing what the build needs"
    install $(listed build-system requires)
    tools/get_uthash.sh "$python"
    say "building and installing scope-profiler"
    rm -f "$stamp_file" "$core"  # by its time stamp it may look new although the flags differ
    # As a folder on the path: what finds the package otherwise takes longer than starting Python does.
    install --no-build-isolation --config-settings editable_mode=compat --editable ".[test]"
    echo "$wanted" >"$stamp_file"
fi
if [[ ${3-} == libraries ]]; then
    wanted=$(listed project optional-dependencies test-libraries)
    if [[ $(cat "$venv/.test_libraries" 2>/dev/null || true) != "$wanted" ]]; then
        say "installing the libraries that tests work with"
        install $wanted
        echo "$wanted" >"$venv/.test_libraries"
    fi
fi
