#!/usr/bin/env bash
# install_extras.sh VENV: adds what the package can work with but does not need, so that the suite
# tests it. What has no wheel for this Python is left out, and tests that need it are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=$1
python=$venv/bin/python
stamp_file=$venv/.scope_profiler_extras

stamp=$(cksum <pyproject.toml)
[[ $(cat "$stamp_file" 2>/dev/null) == "$stamp" ]] && exit

echo "$venv: installing optional packages"
export PIP_DISABLE_PIP_VERSION_CHECK=1
version=$("$python" -c 'from importlib.metadata import version; print(version("scope-profiler"))')
for extra in plot notebook arrow dask; do
    "$python" -m pip install --only-binary :all: "scope-profiler[$extra]==$version" >/dev/null 2>&1 ||
        echo "$venv: the extra '$extra' cannot be installed, its tests will be skipped"
done
echo "$stamp" >"$stamp_file"
