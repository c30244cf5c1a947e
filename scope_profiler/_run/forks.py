"""Forks in the middle of runs: the child starts clean."""

import os

from .._base.unrecorded import unrecorded
from .._runtime import processes
from . import managers


def _in_forked_child():
    configured = [manager for manager in managers.every() if manager._run is not None]
    if configured:
        from .._runtime import own_files

        processes.was_forked()
        own_files.was_forked(managers.paths())
    for manager in configured:
        _begin_anew(manager)


@unrecorded
def _begin_anew(manager):
    """The manager has a run of its own, that goes on as the parent's did."""
    from .._runtime import process_end
    from . import recording
    from .runs import ProfilingRun

    before, recorded = manager._run, manager._recording
    run = ProfilingRun(manager, before._settings)
    recording.start(manager, run)
    manager._record(recorded)
    run._over, run._held = before._over, before._held
    if before._also is not None:
        run._also = ProfilingRun(manager, before._also._settings)
    process_end.goes_on(manager, before, run)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)
