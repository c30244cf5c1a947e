"""Garbage collections as regions: "gc", below whatever runs when one begins."""

import gc
import weakref

from .._base.unrecorded import here

NAME = "gc"


class GCRegions:
    """Collections of all threads, from start() to stop(), in the runs of a manager."""

    def __init__(self, manager):
        # Python's list of callbacks keeps this, and this is not to keep a manager that dies.
        self._manager = weakref.ref(manager, lambda _: self.stop())

    def start(self):
        gc.callbacks.append(self._note)

    def stop(self):
        if self._note in gc.callbacks:
            gc.callbacks.remove(self._note)

    def _note(self, phase, info):
        manager = self._manager()
        if manager is None:
            return
        with here:
            region = manager.profile_region(NAME)
        if phase == "start":
            region.__enter__()
        else:
            region.__exit__(None, None, None)
