#!/usr/bin/env bash
# get_mpi.sh: installs mpiexec on Debian, for tests/mpi. Where that cannot be, they are skipped.
set -euo pipefail
command -v mpiexec >/dev/null && exit
sudo=()
((EUID == 0)) || sudo=(sudo -n)
echo "mpiexec: installing the package openmpi-bin"
"${sudo[@]}" apt-get update -qq || true
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openmpi-bin \
    >/dev/null || echo "mpiexec: it cannot be installed, the tests of MPI are skipped"
