"""Work that is submitted to other threads: the setting track_executors.

What a thread of an executor, or a new thread, records hangs below the regions that were open where the work
was submitted, and the time until it began is that of the region QUEUED there. One Python call for each
submission, and nothing for what is recorded (src/record/submitted.c).
"""

import sys
from threading import Thread
from weakref import ref

from .._base.patches import Patches
from .._instrument.import_hook import AfterImport

#: What work has waited before it began.
QUEUED = "(queued)"


class Submitting:
    """While it is on, work knows where it was submitted, for one manager."""

    def __init__(self, manager):
        self._manager = ref(manager, lambda _: self.stop())
        self._queued = manager.profile_region(QUEUED)
        self._patches = Patches()
        self._hook = AfterImport(self._patches.waits_for, self._patches.imported)

    def start(self):
        """Follow what is submitted from now on."""
        self._patches.put(Thread, "start", self._start)
        self._patches.when_there(
            "concurrent.futures.thread",
            lambda module: self._patches.put(module.ThreadPoolExecutor, "submit", self._submit))
        self._hook.__enter__()

    def stop(self):
        """Leave it alone. What was submitted stays where it is."""
        self._patches.undo()
        self._hook.__exit__()

    def _known(self, function, *thread):
        """The function, as it is to be called."""
        manager = self._manager()
        if manager is None or not manager._recording:
            return function
        return manager._submit(function, self._queued, *thread)

    def _submit(self, before):
        def submit(executor, function, /, *args, **kwargs):
            return before(executor, self._known(function), *args, **kwargs)

        return submit

    def _start(self, before):
        def start(thread):
            # Threads of an executor hang below nothing: each work that they do has its place.
            pools = sys.modules.get("concurrent.futures.thread")
            is_worker = pools is not None and getattr(thread, "_target", None) is pools._worker
            if not is_worker and "run" not in vars(thread):
                known = self._known(thread.run, thread)
                if known != thread.run:
                    thread.run = known
            return before(thread)

        return start
