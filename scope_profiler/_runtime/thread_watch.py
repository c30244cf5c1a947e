"""Threads of a run, with track_threads=True: who they are and what processor time they took."""

import itertools
import sys
import threading
from time import perf_counter_ns, thread_time_ns
import weakref

from .._base import interpreter


class ThreadWatch:
    """Called in each thread when it begins to record, with its number in the run."""

    def __init__(self):
        self._threads = {}  # number -> _Thread
        self._ends = threading.local()
        self._first = 0  # those below this number that are not among them are over, and told

    def __call__(self, number):
        self._threads[number] = thread = _Thread()
        self._ends.end = _End(thread)

    def rows(self, origin_ns, count):
        """The ThreadInfo of the threads up to the number count - 1, as of now, in the order in which
        they were started; times from origin_ns on."""
        from ..results import ThreadInfo

        return [ThreadInfo(*row) for row in self.facts(origin_ns, count)]

    def facts(self, origin_ns, count):
        """The same as the arguments of ThreadInfo, which imports nothing."""
        unknown = _Thread.unknown()
        rows = [
            (number, 0, *self._threads.get(number, unknown).facts(origin_ns))
            for number in sorted({*list(self._threads), *range(self._first, count)})
            if number < count
        ]
        rows.sort(key=lambda row: self._threads.get(row[0], unknown).order)
        return rows

    def forget_ended(self, before_ns, count):
        """Tell no more of threads, of the first `count`, that ended before that."""
        for number, thread in list(self._threads.items()):
            if number < count and thread.end_ns is not None and thread.end_ns < before_ns:
                del self._threads[number]
        self._first = count


_ORDER = "_scope_profiler_order"
_order = itertools.count()


def _order_of(thread):
    """The place of a thread (None: one that Python has not started) in the order of the starts. What
    is new in interpreter.threads() gets its place when a thread begins to record. The system's numbers
    are no order: they begin anew at some time."""
    new = []
    for other in reversed(interpreter.threads()):
        if _ORDER in other.__dict__:
            break
        new.append(other)
    for other in reversed(new):
        other.__dict__.setdefault(_ORDER, next(_order))
    return next(_order) if thread is None else thread.__dict__[_ORDER]


class _Thread:
    """What is known of one thread."""

    def __init__(self):
        self.ident = threading.get_ident()
        self.native_id = threading.get_native_id()
        self.name, self.daemon = f"thread {self.ident}", True
        self.start_ns = perf_counter_ns()
        self.end_ns = None
        self._cpu_before = thread_time_ns()
        self._cpu_ns = None
        thread = interpreter.thread_of(self.ident)
        self._thread = None if thread is None else weakref.ref(thread)
        self.order = _order_of(thread)
        self._read(thread)

    @classmethod
    def unknown(cls):
        """A thread of which nothing is known."""
        thread = cls.__new__(cls)
        thread.name, thread.daemon, thread._thread = "unknown", True, None
        thread.ident = thread.native_id = thread.start_ns = thread.end_ns = thread._cpu_ns = None
        thread._cpu_before, thread.order = 0, sys.maxsize
        return thread

    def _read(self, thread):
        if thread is not None:
            self.name, self.daemon = thread.name, thread.daemon

    def end(self):
        """Runs in the thread itself when it ends."""
        self._cpu_ns = thread_time_ns() - self._cpu_before
        self.end_ns = perf_counter_ns()

    def facts(self, origin_ns):
        """The arguments of ThreadInfo from the name on."""
        self._read(self._thread and self._thread())  # it may have got another name
        start = None if self.start_ns is None else self.start_ns - origin_ns
        end = None if self.end_ns is None else self.end_ns - origin_ns
        return self.name, self.ident, self.native_id, self.daemon, start, end, self._cpu()

    def _cpu(self):
        if self._cpu_ns is not None or self.native_id is None:
            return self._cpu_ns
        if self.ident == threading.get_ident():
            return thread_time_ns() - self._cpu_before
        if sys.platform != "linux":
            return None
        from time import clock_gettime_ns

        # The number of a thread's clock follows from the thread's; the kernel knows whether it is
        # still there (pthread_getcpuclockid() does not).
        try:
            return clock_gettime_ns(~self.native_id << 3 | 6) - self._cpu_before
        except OSError:
            return None


class _End:
    """Lies in a thread's local storage, and so dies with it."""

    def __init__(self, thread):
        self._thread = thread

    def __del__(self, get_ident=threading.get_ident):
        if self._thread.ident == get_ident():  # or the watch is what dies
            self._thread.end()
