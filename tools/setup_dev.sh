#!/usr/bin/env bash
# setup_dev.sh: .venv-dev, with what checks the code, and uv, which installs packages. Quick when it is
# there already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=(ruff==0.17.6 clang-format==23.1.5 uv==0.13.9)

stamp=.venv-dev/.scope_profiler_dev
if [[ $(cat "$stamp" 2>/dev/null) != "${tools[*]}" ]]; then
    python=$(tools/pythons.sh --ends | head -n1 | cut -f1)
    "$python" -m venv --clear --without-pip .venv-dev
    tools/install.sh .venv-dev/bin/python "${tools[@]}"
    echo "${tools[*]}" >"$stamp"
fi
