"""SIGTERM, as containers, `timeout` and pools of processes send it: the runs with auto_finalize are
finalized, and the process ends by the signal, as it would without us."""

import _signal  # not `signal`, which has to be imported: in the child of a fork it could not be
from contextlib import contextmanager
import os

from .. import _core

_finalize = None  # what is called first
_set_handler = _signal.signal
_busy = 0  # files that are being written, each by a finalize()
_ended_by = None  # the signal that arrived meanwhile


def expect(finalize):
    """Call finalize() when SIGTERM is to end the process.

    A handler of the program's own comes first, set before or after this, and so does SIG_IGN. When
    the program puts the default back, as event loops and servers do in the end, this is back too.
    Only the main thread can do it; called in another one, SIGTERM ends the process at once, as ever.
    """
    global _finalize
    if not hasattr(_core, "ends_process"):  # Windows has no signals that would arrive
        return
    _finalize = finalize
    _signal.signal = _signal_signal
    if _signal.getsignal(_signal.SIGTERM) is _terminate or _core.ends_process(_signal.SIGTERM):
        try:
            _signal.signal(_signal.SIGTERM, _terminate)
        except ValueError:  # not in the main thread
            pass


def expect_no_more():
    """SIGTERM ends the process at once, unless the program has a handler."""
    global _finalize
    _finalize = None
    if _signal.signal is _signal_signal:
        _signal.signal = _set_handler
    if _signal.getsignal(_signal.SIGTERM) is _terminate:
        try:
            _set_handler(_signal.SIGTERM, _signal.SIG_DFL)
        except ValueError:
            pass


def _signal_signal(signalnum, handler, /):
    """What signal.signal() calls: in the place of SIGTERM's default is ours."""
    if signalnum == _signal.SIGTERM:
        if handler == _signal.SIG_DFL:
            handler = _terminate
        if handler is _terminate:
            before = _set_handler(signalnum, handler)
            _core.send_until_heard(signalnum)
            return before
    return _set_handler(signalnum, handler)


def _terminate(number, frame):
    """The handler: it ends the process."""
    global _ended_by
    if not _core.heard():  # _thread.interrupt_main(), which means nothing to the default
        return
    if _busy:  # HDF5 cannot be called from within itself
        _ended_by = number
        return
    try:
        if _finalize is not None:
            _finalize()
    finally:
        _set_handler(number, _signal.SIG_DFL)
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


def was_forked():
    """In the child of a fork: who was writing is not here."""
    global _busy, _ended_by
    _busy, _ended_by = 0, None
