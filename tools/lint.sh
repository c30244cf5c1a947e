#!/usr/bin/env bash
# lint.sh [BASE]: what can be told of the code without running it. Of C the layout is checked of the
# lines that differ from the commit BASE, main unless it is given.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
base=${1-main}

tools/setup_dev.sh
PATH=$PWD/.venv-dev/bin:$PATH
failed=0

ruff check --quiet . || failed=1

if grep -nP '\t| $' -r src --include='*.[ch]'; then
    echo "error: a tab or a blank at the end of a line, see above" >&2
    failed=1
fi
if git rev-parse --quiet --verify "$base^{commit}" >/dev/null; then
    layout=$(git clang-format --quiet --diff "$(git merge-base "$base" HEAD)" -- src || true)
    if [[ -n $layout ]]; then
        echo "$layout"
        echo "error: the layout of C that was changed since $base, see above: git clang-format $base" >&2
        failed=1
    fi
fi
exit "$failed"
