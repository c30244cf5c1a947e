"""Forks in the middle of runs: the child starts clean."""

import os
import sys

from .._base.unrecorded import unrecorded
from .._runtime import processes
from . import managers


def _in_forked_child():
    configured = [manager for manager in managers.every() if manager._run is not None]
    if configured:
        from .._runtime import own_files

        for manager in configured:
            if manager._run._settings["follow_children"]:
                names = [region.name for region in manager._open_regions()]
                processes.began_below([os.getppid(), names])
        processes.was_forked()
        own_files.was_forked(managers.paths())
    for manager in configured:
        _begin_anew(manager)
    ends = sys.modules.get("scope_profiler._runtime.process_end")
    if ends is not None:
        ends.has_begun_anew()


@unrecorded
def _begin_anew(manager):
    """The manager has a run of its own, that goes on as the parent's did."""
    from .._runtime import process_end
    from . import recording
    from .runs import ProfilingRun

    before, recorded = manager._run, manager._recording
    followed = before._settings["follow_children"]
    run = ProfilingRun(manager, before._settings, followed or process_end.ends(before))
    recording.start(manager, run)
    manager._record(recorded)
    run._over, run._held = before._over, before._held
    if manager._host is not None:
        manager._host.was_forked()
    if before._also is not None:
        run._also = ProfilingRun(manager, before._also._settings)
    process_end.goes_on(manager, before, run)
    if followed:  # who follows it waits for its results
        process_end.finalize_at_exit(manager, run)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)
