"""The end of the process: runs with auto_finalize are finalized, in children of the program too."""

from _thread import get_ident, start_new_thread
import atexit
from contextlib import contextmanager, nullcontext, suppress
import os
import sys
import time

from . import processes, run_file
from .warning import complain

_unfinished = []  # (manager, run) that are to be finalized
_registered = False  # here, and
_hooked = False  # with multiprocessing, for the processes that it forks
_finalizer = None  # multiprocessing's, in a process that it started
_busy = 0  # files that are being written, each by a finalize()
_ended_by = None  # the signal that arrived meanwhile


def finalize_at_exit(manager, run):
    """Have the run finalized when the process ends, if it still is the manager's then."""
    global _registered
    _unfinished[:] = [pair for pair in _unfinished if pair[1].is_active]
    _unfinished.append((manager, run))
    if not _registered:
        # Once: what others register from now on runs before ours, so what it records is there.
        atexit.register(_finalize_at_exit)
        _registered = True
    if processes.is_worker():
        _follow_multiprocessing()


def forget(run):
    """Leave the run to someone else, in this process."""
    _unfinished[:] = [pair for pair in _unfinished if pair[1] is not run]


def goes_on(manager, run, followed_by):
    """In the child of a fork, the run is followed by another, which shares its fate: it is
    finalized at the end, also where the run is that of a session, as the child may never get to
    the end of that."""
    global _busy, _ended_by
    _busy, _ended_by = 0, None  # who was writing is not here
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
    _expect_termination()


def _finalize_worker():
    # Before 3.13, multiprocessing waits for them after this.
    import threading

    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    _finalize_all()


def _expect_termination():
    """Pools end their processes by SIGTERM, also when all is well: `with Pool() as pool` does.
    So are daemonic processes when their parent ends. Others die of it at once, as ever."""
    if not hasattr(os, "fork"):  # Windows has no signals that would arrive
        return
    import signal
    import threading
    from multiprocessing import process

    current = process.current_process()
    # While the main module is imported anew it is not known yet.
    if ((current.daemon or getattr(current, "_inheriting", False))
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL):
        signal.signal(signal.SIGTERM, _terminate)
        _see_to_signals(signal)


def _see_to_signals(signal):
    """A signal that arrives as the main thread is about to wait, for a lock say, would be handled
    when that wait is over; for idle workers of a pool, never. A thread insists."""
    arrived, sent = os.pipe()
    os.set_blocking(sent, False)
    before = signal.set_wakeup_fd(sent, warn_on_full_buffer=False)
    if before != -1:  # someone else's
        signal.set_wakeup_fd(before)
        os.close(arrived)
        os.close(sent)
        return
    start_new_thread(_insist, (arrived, get_ident(), signal))
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))  # it would wake that one


def _insist(arrived, main, signal):
    while signal.SIGTERM not in os.read(arrived, 512):
        pass
    while True:
        time.sleep(0.05)
        signal.pthread_kill(main, signal.SIGTERM)


def _terminate(number, frame):
    global _ended_by
    if _busy:  # HDF5 cannot be called from within itself
        _ended_by = number
        return
    _finalize_all()
    import signal

    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


@contextmanager
def writing():
    """A file is being written inside: it gets whole before SIGTERM ends the process."""
    global _busy, _ended_by
    _busy += 1
    try:
        yield
    finally:
        _busy -= 1
        if _ended_by is not None and not _busy:
            number, _ended_by = _ended_by, None
            os.kill(os.getpid(), number)


# ---- Every process


def _finalize_at_exit():
    _finalize_all()
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1"):
        end_by_interrupt()


def end_by_interrupt():
    """Python remembers to end by SIGINT after a KeyboardInterrupt, as shells want it; what runs
    by exec() and eval() meanwhile, as it does in imports, has made it forget."""
    with suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")


def _finalize_all():
    with writing():
        while _unfinished:
            manager, run = _unfinished.pop(0)
            try:
                _finalize(manager, run)
            except (Exception, KeyboardInterrupt) as error:
                complain("finalize() at the end of the process failed", error)


def _finalize(manager, run):
    calls = manager._counters()["calls"] if run.is_active else 0
    again = run.finalize_time_ns is not None
    if not run.is_active or again and calls == run._written_calls:
        return
    # One report is enough, and that of the program, not of each of its children.
    verbose = not again and not processes.is_child()
    if run.file_path is None:
        if verbose:
            manager.finalize()
    elif calls or not processes.is_child():
        with nullcontext() if run_file.is_json(run) else _h5py():
            manager.finalize(verbose)


def _h5py():
    from .io.at_exit import h5py_at_exit

    return h5py_at_exit()
