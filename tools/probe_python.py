"""Print this interpreter's minor version, its path and what makes it unfit for us, tab-separated.

Any Python may be asked, so this also has to run on Python 2.
"""

import os
import sys


def problem():
    if sys.version_info < (3, 11):
        return "is older than 3.11"
    import sysconfig

    if sys.implementation.name != "cpython":
        return "is not CPython"
    if sys.version_info.releaselevel != "final":
        return "is a pre-release"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "is a free-threaded build"
    if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
        return "has no Python.h (on Debian: python3-dev)"
    try:
        import ensurepip, venv  # noqa: E401, F401
    except ImportError:
        return "cannot make virtual environments (on Debian: python3-venv)"
    return ""


sys.stdout.write("%d.%d\t%s\t%s\n" % (sys.version_info[0], sys.version_info[1], sys.executable, problem()))
