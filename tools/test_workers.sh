#!/usr/bin/env bash
# test_workers.sh: how many processes run tests side by side. Three for two processors, as many tests
# wait for a process or a thread of theirs; one that has nothing left takes tests from the others.
set -euo pipefail
echo $((($(nproc) * 3 + 1) / 2))
