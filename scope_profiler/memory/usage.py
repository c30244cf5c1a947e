"""How much memory processes use: readings, and a function watched while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
import os
import subprocess
import sys
import threading
from time import sleep, time
from typing import IO, Any

from .._base.needs import explained
from .._base.warning import warn

MIB = 1 << 20

#: {backend: what it reads}
BACKENDS = {
    "psutil": "the resident set",
    "psutil_pss": "the resident set, of pages that processes share a part",
    "psutil_uss": "what would be free if the process ended",
    "posix": "the resident set",
    "tracemalloc": "what tracemalloc traces",
}


def choose_backend(new_backend: str | None = None) -> str:
    """The backend of that name, "psutil" for None. On Linux none of them needs psutil.

    Raises ValueError for a name that there is not. Warns where "posix" cannot be had.
    """
    if new_backend is not None and new_backend not in BACKENDS:
        raise ValueError(f"backend is one of {', '.join(BACKENDS)}; got {new_backend!r}")
    if new_backend == "posix" and os.name != "posix":
        warn("posix can not be used, psutil used instead")
        return "psutil"
    return new_backend or "psutil"


# ---- Readings


def bytes_of(pid: int, backend: str = "psutil") -> int:
    """What the process uses now, in bytes. Raises ProcessLookupError when there is none of that
    number."""
    if backend == "tracemalloc":
        import tracemalloc

        return tracemalloc.get_traced_memory()[0]
    if not sys.platform.startswith("linux"):
        return _by_psutil(pid, backend)
    if backend in ("psutil", "posix"):
        pages = int(_read(pid, "statm").split()[1])
        return pages * os.sysconf("SC_PAGESIZE")
    fields = (line.split() for line in _read(pid, "smaps_rollup").splitlines()[1:])
    sizes = {name[:-1]: 1024 * int(size) for name, size, *_ in fields}
    if backend == "psutil_pss":
        return sizes["Pss"]
    return sizes["Private_Clean"] + sizes["Private_Dirty"] + sizes.get("Private_Hugetlb", 0)


def _read(pid: int, name: str) -> str:
    try:
        with open(f"/proc/{pid}/{name}") as file:
            return file.read()
    except FileNotFoundError:
        raise ProcessLookupError(f"there is no process {pid}") from None


def _by_psutil(pid: int, backend: str) -> int:
    with explained():
        import psutil

    try:
        process = psutil.Process(pid)
        if backend in ("psutil", "posix"):
            return int(process.memory_info().rss)
        return int(getattr(process.memory_full_info(), backend.removeprefix("psutil_")))
    except psutil.NoSuchProcess:
        raise ProcessLookupError(f"there is no process {pid}") from None


def children_of(pid: int) -> list[int]:
    """The processes below this one, at any depth."""
    if not sys.platform.startswith("linux"):
        with explained():
            import psutil

        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    parents: dict[int, list[int]] = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            stat = _read(int(name), "stat")
        except (ProcessLookupError, PermissionError):
            continue
        parent = int(stat.rpartition(")")[2].split()[1])  # the name before may have anything in it
        parents.setdefault(parent, []).append(int(name))
    found = []
    pending = [pid]
    while pending:
        below = parents.get(pending.pop(), [])
        found += below
        pending += below
    return found


def children_bytes(pid: int, backend: str = "psutil") -> Iterator[tuple[int, int]]:
    """(pid, bytes) of each process below; those that end meanwhile are left out."""
    for child in children_of(pid):
        try:
            yield child, bytes_of(child, backend)
        except (ProcessLookupError, PermissionError):
            continue


def reading(pid: int, backend: str = "psutil", include_children: bool = False) -> float:
    """What the process uses, in MiB."""
    size = bytes_of(pid, backend)
    if include_children and backend != "tracemalloc":
        size += sum(of_child for _, of_child in children_bytes(pid, backend))
    return size / MIB


# ---- Watching


class Sampler:
    """Reads at intervals, in a thread of its own, from start() to stop()."""

    def __init__(self, read: Callable[[], Any], interval: float) -> None:
        self._read = read
        self._interval = interval
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory sampler", daemon=True)
        self.readings: list[tuple[Any, float]] = []

    def start(self) -> None:
        """Read for the first time, and go on."""
        self._take()
        self._thread.start()

    def stop(self) -> None:
        """Read for the last time."""
        self._over.set()
        self._thread.join()
        self._take()

    def _take(self) -> None:
        self.readings.append((self._read(), time()))

    def _run(self) -> None:
        while not self._over.wait(self._interval):
            self._take()


def memory_usage(
    proc: int | subprocess.Popen[Any] | Callable[..., Any] | Sequence[Any] = -1,
    interval: float = 0.1, timeout: float | None = None, timestamps: bool = False,
    include_children: bool = False, multiprocess: bool = False, max_usage: bool = False,
    retval: bool = False, stream: IO[str] | None = None, backend: str | None = None,
    max_iterations: int | None = None,
) -> Any:
    """The memory that a process uses, or this one while a function runs, in MiB.

    proc: the number of a process, -1 for this one; a subprocess.Popen; a function, or (function,
        args, kwargs), the last two where there are any.
    interval: seconds between two readings. timeout: for how many seconds; None for one reading of a
        process, and until the function or the Popen ends. max_iterations: no meaning here.
    timestamps: each reading is (MiB, seconds since the epoch). include_children: with the processes
        below. multiprocess: each reading is [MiB, MiB of each process below ...].
    max_usage: the highest reading alone. retval: (readings, what the function returned).
    stream: readings are written there, in the format of mprof, and None is returned.
    backend: see choose_backend().

    A function is called once, in this thread, and read at its begin and its end too. Raises what it
    raises; ValueError for an unknown backend or an interval that is not positive.
    """
    backend = choose_backend(backend)
    if not interval > 0:
        raise ValueError(f"interval takes a number of seconds above 0, got {interval!r}")
    returned = None
    if isinstance(proc, subprocess.Popen):
        pid, process = proc.pid, proc
        taken = _watch(_reader(pid, backend, include_children, multiprocess), interval, timeout,
                       lambda: process.poll() is None)
    elif isinstance(proc, int):
        pid = os.getpid() if proc == -1 else proc
        taken = _watch(_reader(pid, backend, include_children, multiprocess), interval,
                       interval if timeout is None else timeout, lambda: True)
    else:
        function, args, kwargs = _call(proc)
        sampler = Sampler(_reader(os.getpid(), backend, include_children, multiprocess), interval)
        sampler.start()
        try:
            returned = function(*args, **kwargs)
        finally:
            sampler.stop()
        taken = sampler.readings
    if stream is not None:
        _write(taken, stream)
        return (None, returned) if retval else None
    result = _result(taken, timestamps, max_usage)
    return (result, returned) if retval else result


def _call(proc: Any) -> tuple[Callable[..., Any], Sequence[Any], Mapping[str, Any]]:
    if callable(proc):
        return proc, (), {}
    if not isinstance(proc, (tuple, list)) or not 1 <= len(proc) <= 3 or not callable(proc[0]):
        raise ValueError("proc takes a process number, a Popen, a function or (function, args, "
                         f"kwargs); got {proc!r}")
    return proc[0], proc[1] if len(proc) > 1 else (), proc[2] if len(proc) > 2 else {}


def _reader(pid: int, backend: str, include_children: bool, multiprocess: bool) -> Callable[[], Any]:
    def read() -> Any:
        own = reading(pid, backend, include_children)
        if not multiprocess:
            return own
        return [own, *(size / MIB for _, size in children_bytes(pid, backend))]

    return read


def _watch(read: Callable[[], Any], interval: float, timeout: float | None,
           goes_on: Callable[[], bool]) -> list[tuple[Any, float]]:
    """Readings, until the time is over or the process."""
    taken = []
    count = None if timeout is None else max(1, round(timeout / interval))
    while goes_on():
        try:
            taken.append((read(), time()))
        except ProcessLookupError:
            if not taken and count == 1:
                raise
            break
        if len(taken) == count:
            break
        sleep(interval)
    return taken


def _result(taken: list[tuple[Any, float]], timestamps: bool, max_usage: bool) -> Any:
    if max_usage:
        highest = max((value[0] if isinstance(value, list) else value, at) for value, at in taken)
        return highest if timestamps else highest[0]
    return taken if timestamps else [value for value, _ in taken]


def _write(taken: list[tuple[Any, float]], stream: IO[str]) -> None:
    for value, at in taken:
        own, *children = value if isinstance(value, list) else [value]
        stream.write(f"MEM {own:.6f} {at:.4f}\n")
        for number, size in enumerate(children):
            stream.write(f"CHLD {number} {size:.6f} {at:.4f}\n")
