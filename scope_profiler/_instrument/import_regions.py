"""Imports as regions: "import numpy", for each module that is not there yet, with what it imports below.

What `import`, importlib.import_module() and `from package import module` have in common is a function of
importlib, which each looks up in its module. One of ours takes its place; it claims to be of the same
file, because Python leaves functions of that file out of the tracebacks of imports.
"""

from contextlib import nullcontext
import _frozen_importlib
import sys
import weakref

from .._base.unrecorded import here

_WHERE = "_find_and_load"

_SOURCE = f"""
def {_WHERE}(name, import_):
    if name in modules:
        return before(name, import_)
    with region_of(name):
        return before(name, import_)
"""


class ImportRegions:
    """Imports in all threads, from start() to stop(), in the runs of a manager."""

    def __init__(self, manager):
        self._manager = weakref.ref(manager, lambda _: self.stop())
        self._ours = self._before = None

    def start(self):
        self._before = getattr(_frozen_importlib, _WHERE)
        namespace = {"__name__": _frozen_importlib.__name__, "modules": sys.modules,
                     "before": self._before, "region_of": self._region_of}
        exec(compile(_SOURCE, self._before.__code__.co_filename, "exec"), namespace)
        self._ours = namespace[_WHERE]
        setattr(_frozen_importlib, _WHERE, self._ours)

    def stop(self):
        if getattr(_frozen_importlib, _WHERE) is self._ours:  # else it stays, and does nothing
            setattr(_frozen_importlib, _WHERE, self._before)

    def _region_of(self, name):
        with here:
            manager = self._manager()
            return nullcontext() if manager is None else manager.profile_region(f"import {name}")
