"""The end of the process: runs with auto_finalize are finalized, in children of the program too.

A process can end in several ways, and each needs something of its own:

- By its last line or sys.exit(): an exit handler. It is registered once, by the first setup(), so
  what the program registers later runs before it, and is recorded.
- As a worker of multiprocessing: that ends by os._exit(), which calls no exit handlers, but its own
  finalizers; ours is the last of them. A worker forgets its parent's, so ours is made in the worker.
- By SIGTERM, as containers, `timeout` and pools of processes send it: Python has no handler for it,
  so there is ours. It finalizes, and lets the signal end the process, as it would without us.
    - signal.signal() is replaced, because event loops and servers put the default back when they
      have stopped, which would end the process without us. A handler of the program's own stays.
    - The signal is sent again until the handler has run (base/termination.c). One that arrives right
      before the main thread waits for a lock is handled when the wait is over: in an idle process
      never. Containers would then send SIGKILL, and all would be lost.
    - While a file is being written, the handler only takes note, for the file to get whole: HDF5
      cannot be called from within itself.
    - The child of a fork has its parent's runs until it has begun its own, and nothing to finalize.
- By KeyboardInterrupt: Python ends by SIGINT afterwards, as shells want it, unless something runs by
  exec() meanwhile, as it does in the imports of finalize(). So it is reminded.

h5py is a part of that: it takes its converters of types away in an exit handler of its own. Where it
was imported after setup() that has run before ours, and files cannot be written any more; where it is
imported in ours, it never runs, upon which HDF5 crashes as it closes. See use_h5py().
"""

import _signal  # not `signal`, which has to be imported: in the child of a fork it could not be
import atexit
from contextlib import contextmanager, suppress
import os
import sys

from .. import _core
from .._base.warning import complain
from . import launcher, processes

_unfinished = []  # (manager, run) that are to be finalized
_calls = []  # (process, function) that are to be called
_last = []  # functions that are called when nothing more is finalized, where the program ends by itself
_is_registered = False  # here, and
_is_hooked = False  # with multiprocessing, for the processes that it forks
_finalizer = None  # multiprocessing's, in a process that it started
_is_last = False  # finalize() is called by an exit handler,
_converters = None  # and what of h5py is taken away when that is over


def finalize_at_exit(manager, run):
    """Have the run finalized when the process ends, if it still is the manager's then."""
    _unfinished[:] = [pair for pair in _unfinished if pair[1].is_active]
    _unfinished.append((manager, run))
    _register()
    if processes.is_worker():
        _follow_multiprocessing()


def call_at_exit(function):
    """Have function() called once when this process ends, and not in its children: where that is by
    SIGTERM too. forget_call() takes it back."""
    _calls.append((os.getpid(), function))
    _register()


def call_last(function):
    """Have function() called when the program has ended by itself, after all that is finalized then."""
    if function not in _last:
        _last.append(function)
    _register_exit()


def forget_call(function):
    """Do not call it any more."""
    _calls[:] = [pair for pair in _calls if pair[1] != function]


def _register():
    _register_exit()
    _handle_sigterm()


def _register_exit():
    global _is_registered
    if not _is_registered:
        atexit.register(_finalize_at_exit)
        _is_registered = True


def ends(run):
    """Whether the run is finalized when the process ends, or that of a session, at the latest."""
    return run._of_session or any(pair[1] is run for pair in _unfinished)


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
    followed_by._of_session = run._of_session
    if ends(run):
        finalize_at_exit(manager, followed_by)
        _follow_multiprocessing()


def has_begun_anew():
    """In the child of a fork, all runs are its own."""
    global _writing, _ended_by, _process
    _writing, _ended_by, _process = 0, None, os.getpid()  # who was writing is not here


# ---- The last finalize()


def _finalize_at_exit():
    wait_for_workers([run for _, run in _unfinished])
    _finalize_all()
    _leave_sigterm()
    for function in _last:
        function()
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1"):
        end_by_interrupt()


def _finalize_all():
    with writing():
        last = [(manager, run) for manager, run in _unfinished if run.is_active]
        _unfinished.clear()
        for manager, _ in last:  # threads that nobody waits for would go on recording
            manager._stop()
        for manager, run in last:
            try:
                _finalize(manager, run)
            except (Exception, KeyboardInterrupt) as error:
                complain("finalize() at the end of the process failed", error)
        calls = [function for process, function in _calls if process == os.getpid()]
        _calls.clear()
        for function in calls:
            try:
                function()
            except (Exception, KeyboardInterrupt) as error:
                complain("what was to be done at the end of the process failed", error)


def _finalize(manager, run):
    calls = manager._counters()["calls"]
    again = run.finalize_time_ns is not None
    # Other ranks of a job may have more, and then rank 0 waits for all.
    if again and calls == run._written_calls and launcher.communicator() is None:
        return
    # One report is enough, and that of the program, not of each of its children.
    verbose = run._settings["verbose"] and not again and not processes.is_child()
    if not run._destinations():
        if verbose:
            finalize_last(manager, verbose)
    elif calls or not processes.is_child():
        finalize_last(manager, verbose)


def finalize_last(manager, verbose):
    """finalize() in an exit handler, or in what comes in its place."""
    global _is_last, _converters
    _is_last = True
    try:
        manager.finalize(verbose)
    finally:
        _is_last = False
        if _converters is not None:
            _converters.unregister_converters()
            _converters = None


def use_h5py(run):
    """Where finalize() is the last, h5py can be used again until that is over. Taking its converters away
    twice does no harm; HDF5 refuses to take one that it has and has used."""
    global _converters
    if _is_last and _uses_h5py(run):
        with suppress(ImportError, AttributeError):  # without h5py, or with one that goes about it otherwise
            from h5py import _conv

            _conv.unregister_converters()
            _conv.register_converters()
            _converters = _conv


def _uses_h5py(run):
    """Whether its finalize() writes HDF5, or reads what children have left in it."""
    return run._settings["follow_children"] or any(each._file.format == "hdf5"
                                                   for each in run._destinations())


def end_by_interrupt():
    """Have Python end by SIGINT, which it has forgotten since the KeyboardInterrupt."""
    with suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")


# ---- Workers of multiprocessing


def wait_for_workers(runs):
    """Where one of the runs follows child processes, wait for those that multiprocessing started, as it
    does itself at the end of the process: its exit handler may be called after ours."""
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is None or not any(run._settings["follow_children"] for run in runs):
        return
    workers = multiprocessing.active_children()
    for worker in workers:
        if worker.daemon:
            worker.terminate()
    for worker in workers:
        worker.join()


def _follow_multiprocessing():
    """Make our finalizer in this process, if it is a worker, and in those that it forks."""
    global _is_hooked
    util = sys.modules.get("multiprocessing.util")
    if util is None:
        if not processes.is_worker():
            return
        from multiprocessing import util
    if not _is_hooked:
        util.register_after_fork(_in_worker, lambda function: function(util))
        _is_hooked = True
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


# ---- SIGTERM

_set_handler = _signal.signal
_writing = 0  # how many files
_ended_by = None  # the signal that arrived meanwhile
_process = os.getpid()  # whose runs these are: in the child of a fork first its parent's

#: Whether SIGTERM ends the process: what takes long, or waits for others, is left out.
is_terminated = False


def _handle_sigterm():
    """Put our handler in the place of the default, now and whenever that is put back. Only the main
    thread can; where this is called in another one, SIGTERM ends the process at once, as ever."""
    if not hasattr(_core, "ends_process"):  # Windows has no signals that would arrive
        return
    _signal.signal = _signal_signal
    if _signal.getsignal(_signal.SIGTERM) is _terminate or _core.ends_process(_signal.SIGTERM):
        with suppress(ValueError):  # not in the main thread
            _signal.signal(_signal.SIGTERM, _terminate)


def _leave_sigterm():
    """SIGTERM ends the process at once, unless the program has a handler."""
    if _signal.signal is _signal_signal:
        _signal.signal = _set_handler
    if _signal.getsignal(_signal.SIGTERM) is _terminate:
        with suppress(ValueError):
            _set_handler(_signal.SIGTERM, _signal.SIG_DFL)


def _signal_signal(signalnum, handler, /):
    """What signal.signal() calls."""
    if signalnum == _signal.SIGTERM:
        if handler == _signal.SIG_DFL:
            handler = _terminate
        if handler is _terminate:
            before = _set_handler(signalnum, handler)
            _core.send_until_heard(signalnum)
            return before
    return _set_handler(signalnum, handler)


def _terminate(number, frame):
    """The handler."""
    global _ended_by, is_terminated
    if not _core.heard():  # _thread.interrupt_main(), which means nothing to the default
        return
    has_begun = _process == os.getpid()
    if _writing and has_begun:
        _ended_by = number
        return
    is_terminated = True
    try:
        if has_begun:
            _finalize_all()
    finally:
        _set_handler(number, _signal.SIG_DFL)
        os.kill(os.getpid(), number)


@contextmanager
def writing():
    """A file is being written inside: it gets whole before SIGTERM ends the process."""
    global _writing, _ended_by
    _writing += 1
    process = _process
    try:
        yield
    finally:
        _writing -= process == _process  # or it was forked inside
        if _ended_by is not None and not _writing:
            number, _ended_by = _ended_by, None
            os.kill(os.getpid(), number)
