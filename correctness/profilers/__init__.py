"""The profilers that are asked, each with what a case wants of it in a file of its own.

A file has a class Adapter and its `TITLE`, `PACKAGE` on the registry (None: no peer to install),
and `CLOCKS`, the names of the clocks that it can be run under.
"""

from importlib import import_module

# In the order of the table.
NAMES = ("ours", "scope_profiler_0_7_5", "line_profiler", "codetiming", "cprofile", "yappi",
         "viztracer")


def module(name):
    return import_module(f"profilers.{name}")
