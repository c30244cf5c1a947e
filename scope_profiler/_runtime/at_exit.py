"""The end of the process: runs with auto_finalize are finalized, in children of the program too."""

import atexit
from contextlib import nullcontext, suppress
import sys

from . import processes, termination
from .._base.warning import complain

_unfinished = []  # (manager, run) that are to be finalized
_registered = False  # here, and
_hooked = False  # with multiprocessing, for the processes that it forks
_finalizer = None  # multiprocessing's, in a process that it started


def finalize_at_exit(manager, run):
    """Have the run finalized when the process ends, if it still is the manager's then."""
    global _registered
    _unfinished[:] = [pair for pair in _unfinished if pair[1].is_active]
    _unfinished.append((manager, run))
    if not _registered:
        # Once: what others register from now on runs before ours, so what it records is there.
        atexit.register(_finalize_at_exit)
        _registered = True
    termination.expect(_finalize_all)
    if processes.is_worker():
        _follow_multiprocessing()


def follows(manager, run, followed_by):
    """The run is followed by another, which is finalized in its place."""
    if any(pair[1] is run for pair in _unfinished):
        finalize_at_exit(manager, followed_by)


def forget(run):
    """Leave the run to someone else, in this process."""
    _unfinished[:] = [pair for pair in _unfinished if pair[1] is not run]


def goes_on(manager, run, followed_by):
    """In the child of a fork, the run is followed by another, which shares its fate: it is
    finalized at the end, also where the run is that of a session, as the child may never get to
    the end of that."""
    termination.was_forked()
    followed_by._of_session = run._of_session
    if run._of_session or any(pair[1] is run for pair in _unfinished):
        finalize_at_exit(manager, followed_by)
        _follow_multiprocessing()


# ---- Processes that multiprocessing starts: their end is no usual one


def _follow_multiprocessing():
    """A process that multiprocessing forked ends by os._exit(), after its own finalizers. It
    forgets those of its parent when it begins, and then asks who wants to know."""
    global _hooked
    util = sys.modules.get("multiprocessing.util")
    if util is None:
        if not processes.is_worker():
            return
        from multiprocessing import util
    if not _hooked:
        util.register_after_fork(_in_worker, lambda function: function(util))
        _hooked = True
    if processes.is_worker():
        _in_worker(util)


def _in_worker(util):
    global _finalizer
    if not any(run.is_active for _, run in _unfinished):
        return
    if _finalizer is None or not _finalizer.still_active():
        _finalizer = util.Finalize(None, _finalize_worker, exitpriority=-1_000_000)


def _finalize_worker():
    # Before 3.13, multiprocessing waits for them after this.
    import threading

    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    _finalize_all()


# ---- Every process


def _finalize_at_exit():
    _finalize_all()
    termination.expect_no_more()
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1"):
        end_by_interrupt()


def end_by_interrupt():
    """Python remembers to end by SIGINT after a KeyboardInterrupt, as shells want it; what runs
    by exec() and eval() meanwhile, as it does in imports, has made it forget."""
    with suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")


def _finalize_all():
    with termination.writing():
        last = [(manager, run) for manager, run in _unfinished if run.is_active]
        _unfinished.clear()
        for manager, _ in last:  # threads that nobody waits for would go on recording
            manager._stop()
        for manager, run in last:
            try:
                _finalize(manager, run)
            except (Exception, KeyboardInterrupt) as error:
                complain("finalize() at the end of the process failed", error)


def _finalize(manager, run):
    calls = manager._counters()["calls"]
    again = run.finalize_time_ns is not None
    if again and calls == run._written_calls:
        return
    # One report is enough, and that of the program, not of each of its children.
    verbose = run._settings["verbose"] and not again and not processes.is_child()
    files = run._destinations()
    if not files:
        if verbose:
            manager.finalize()
    elif calls or not processes.is_child():
        with nullcontext() if all(each._file.is_json for each in files) else _h5py():
            manager.finalize(verbose)


def _h5py():
    from ..io.h5py_at_exit import h5py_at_exit

    return h5py_at_exit()
