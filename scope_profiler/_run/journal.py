"""The journal of a run: a file beside the run's own, in which its calls lie until that is written."""

import os
import sys

from .._base.warning import say
from .._runtime import process_end, processes
from . import managers

SUFFIX = ".journal"


def is_on(run):
    """Whether the run has one: as the setting says, or else where results are going to be written. Of a
    child that is not known; most of them end, or are ended, without, and each would leave a file."""
    if run._file is None:
        return False
    wanted = run._settings["journal"]
    if wanted is None:
        return sys.platform != "win32" and (run._ends_by_finalize or not processes.is_child())
    return wanted


def begin(run):
    """What the core makes the run's journal of, (path as bytes, facts, whether nobody asked for it), or
    None."""
    if not is_on(run):
        return None
    process_end.call_last(_program_ends)
    from .kept import limits
    from .run_metadata import collect_metadata

    path = f"{os.path.abspath(run._file.path)}.{os.getpid()}{SUFFIX}"
    settings = run._settings
    metadata = collect_metadata(label=run.label, detail=settings["metadata_detail"],
                                start_time_ns=run.start_time_ns, members=settings["comm"])
    return os.fsencode(path), {
        "metadata": metadata,
        "file_path": os.path.abspath(run._file.path),
        "process_id": os.getpid(),
        "aggregated": bool(settings["aggregation_mode"]),
        "limited": any(limits(settings)) or bool(settings["min_duration"]),
        "waits": bool(settings["track_async"]),
        "track_threads": bool(settings["track_threads"]),
    }, settings["journal"] is None


def error(manager):
    """Why the journal has ended early, or None."""
    path, number = manager._journal() or (None, 0)
    if number == 0:
        return None
    where = "" if path is None else f" ({os.fsdecode(path)})"
    return f"{os.strerror(number)}{where}"


def written(manager):
    """The results are in their file, or are not wanted."""
    manager._journal_remove()


def discard(manager):
    """What was recorded is not wanted any more."""
    manager._journal_cut()
    manager._journal_remove()


def _program_ends():
    """Calls that are in no file of results are of no use to a program that ends as it wants to. One that an
    exception has ended may have wanted them."""
    kept = _ended_by_exception()
    for manager in managers.every():
        run = manager._run
        left_out = 0
        if run is not None and run.is_active and run._file is not None:
            left_out = manager._counters()["calls"] - (run._written_calls or 0)
        manager._journal_end(kept)
        path, _ = manager._journal() or (None, 0)
        if path is not None:
            from .._base.shown import shown

            say("the run was not written; for its results: "
                f"scope-profiler recover {shown(os.fsdecode(path))}")
        elif left_out and run._settings["verbose"] and not processes.is_child():
            from ..report.style import many

            say(f"{many(left_out, 'call')} not written, as nobody called finalize(); "
                "setup(auto_finalize=True) does so at the end")


def _ended_by_exception():
    """Whether nobody caught it: where it has come to, there is no caller. (Of those that were caught, pytest
    and others say, too, that they were the last.)"""
    traceback = getattr(sys, "last_traceback", None)
    return traceback is not None and traceback.tb_frame.f_back is None and not hasattr(sys, "ps1")
