#!/usr/bin/env bash
# get_programs.sh: installs on Debian what tests work with: mpiexec, h5py with MPI, and a browser. Where that cannot be,
# these tests are skipped.
set -euo pipefail
sudo=()
((EUID == 0)) || sudo=(sudo -n)
packages=()
command -v mpiexec >/dev/null || packages+=(openmpi-bin)
[[ -d /usr/lib/python3/dist-packages/h5py/_debian_h5py_mpi ]] || packages+=(python3-h5py-mpi python3-mpi4py)
command -v chromium >/dev/null && command -v chromedriver >/dev/null || packages+=(chromium chromium-driver)
((${#packages[@]})) || exit 0
echo "installing ${packages[*]}"
"${sudo[@]}" apt-get update -qq || true
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${packages[@]}" >/dev/null || echo "not installed: ${packages[*]}; their tests are skipped"
