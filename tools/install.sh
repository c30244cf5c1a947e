#!/usr/bin/env bash
# install.sh PYTHON ARGUMENT...: `pip install` for the environment of that Python; by uv, which takes a tenth
# of the processor's time, where there is one (setup_dev.sh) that can do it. Environments are made without
# pip, which takes longer than all the rest of making one, so it is put there when it is wanted.
set -euo pipefail
python=$1
uv=$(type -P "$(dirname "${BASH_SOURCE[0]}")/../.venv-dev/bin/uv" uv | head -n1) || true

# Compiling all modules of all packages would take longer than compiling those that are used. uv does not.
if [[ -n $uv ]] && "$uv" pip install -qq --python "$python" "${@:2}" 2>/dev/null; then
    exit
fi
# Debug builds warn of what pip leaves open.
"$python" -c "import pip" 2>/dev/null || "$python" -W ignore -m ensurepip >/dev/null
exec "$python" -W ignore -m pip -qq --disable-pip-version-check install --no-compile "${@:2}"
