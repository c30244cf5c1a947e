"""Where the packages are that ours is compared with: in environments of their own."""

import functools
import os
import subprocess
import sys

from conftest import ROOT

VERSION = "{}.{}".format(*sys.version_info)

MISSING = (f"neither SCOPE_PROFILER_PEER_PYTHON_{VERSION.replace('.', '_')} nor "
           f"SCOPE_PROFILER_PEER_PYTHON nor .bench has a Python {VERSION} with the peer")


@functools.cache
def python_with(package):
    """An interpreter of this version that has the package, by the environment or as the benchmarks
    have made it; None without one."""
    named = [os.environ.get(f"SCOPE_PROFILER_PEER_PYTHON{end}")
             for end in (f"_{VERSION.replace('.', '_')}", "")]
    made = sorted(ROOT.glob(f".bench/{VERSION}.*/bin/python"))
    for python in (*named, *map(str, made)):
        if python:
            tell = f"import sys, {package}; print('{{}}.{{}}'.format(*sys.version_info))"
            told = subprocess.run([python, "-c", tell], capture_output=True, text=True)
            if told.returncode == 0 and told.stdout.strip() == VERSION:
                return python
    return None
