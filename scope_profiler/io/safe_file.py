"""Files that are whole at any time: how one is replaced, and how HDF5 is let write one."""

from __future__ import annotations

import io
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .held_signals import HeldSignals

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


#: Of temporary files. A lock on one says that it is being written.
_PREFIX, _SUFFIX = ".scope-profiler-", ".tmp"

#: It takes its writer less to lock one, seconds.
_YOUNG = 60


@contextmanager
def replacing(
    path: str | os.PathLike[str], place: Callable[[str, str], None] = os.replace
) -> Iterator[io.FileIO]:
    """A new file, to be written to, that replaces `path` when the block ends without exception.

    The file is unbuffered, of bytes, and readable too; its `name` is that which it has meanwhile.
    It is on the disk before the name changes, so that at any time `path` is the old file or the new
    one, each whole; after an exception it is the old one and the new one is gone. Mode, owner and
    group are those of the old file, the latter two where that is allowed; the mode of a new one is
    ``0o666 & ~umask``. Where `path` is a symbolic link, the file that it points to is replaced.
    What killed writers left in the folder is removed.

    `place` is called with the name of the new file and `path`, to rename it.

    Raises IsADirectoryError or OSError when `path` is a directory, or no regular file (a device,
    say).
    """
    target = os.path.realpath(path)
    old = None
    with suppress(FileNotFoundError):
        old = os.stat(target)
        if stat.S_ISDIR(old.st_mode):
            raise IsADirectoryError(f"{os.fspath(path)} is a directory")
        if not stat.S_ISREG(old.st_mode):
            raise OSError(f"{os.fspath(path)} is not a regular file and will not be replaced")
    directory = os.path.dirname(target)
    _remove_leftovers(directory)
    # Not derived from the name, which may be as long as names can be.
    temporary = os.path.join(directory, f"{_PREFIX}{os.urandom(8).hex()}{_SUFFIX}")
    # The kernel applies the umask; to ask for it would mean to set it, which
    # other threads would see.
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(temporary, flags, 0o666 if old is None else 0o600)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from None
    try:
        with open(temporary, "r+b", buffering=0, opener=lambda *_: descriptor) as file:
            _lock(descriptor)
            if old is not None:
                _make_alike(descriptor, old)
            yield file
            os.fsync(file)
            place(temporary, target)
    except BaseException as error:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = os.fspath(path)
        raise
    # The name is in place; where a directory cannot be synced, that is all there is.
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


#: Of gzip: level 1 leaves a tenth more, level 9 takes eight times as long for one per cent less.
_LEVEL = 4


@contextmanager
def written(
    path: str | os.PathLike[str], place: Callable[[str, str], None] = os.replace
) -> Iterator[Any]:
    """As `replacing`, buffered, and to be written to from its begin to its end; the folders that it is
    in are made. What goes to a path that ends in ".gz" is compressed, and equal contents give equal
    bytes."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with replacing(path, place) as raw:
        # Closing it would close the file, which is not on the disk yet.
        buffered = io.BufferedWriter(raw, 1 << 20)
        if os.fspath(path).lower().endswith(".gz"):
            import gzip

            # Neither name nor time in the header: equal results, equal bytes.
            with gzip.GzipFile("", "wb", _LEVEL, buffered, mtime=0) as file:
                yield file
        else:
            yield buffered
        buffered.flush()
        buffered.detach()


def _make_alike(descriptor: int, old: os.stat_result) -> None:
    """Owner, group and mode of the old file, as far as we may."""
    if not hasattr(os, "fchown"):
        return
    for owner in (old.st_uid, -1):
        with suppress(OSError):
            os.fchown(descriptor, owner, old.st_gid)
            break
    with suppress(OSError):
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _lock(descriptor: int) -> bool:
    """Lock a file while it is open; False when another process has it, or that cannot be told."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_leftovers(directory: str) -> None:
    """Remove the temporary files whose writers are gone: their locks went with them."""
    with suppress(OSError):
        for entry in os.scandir(directory or "."):
            if entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX):
                with suppress(OSError):
                    _remove_leftover(entry)


def _remove_leftover(entry: os.DirEntry[str]) -> None:
    age = time.time() - entry.stat(follow_symlinks=False).st_mtime
    if age < _YOUNG or not entry.is_file(follow_symlinks=False):
        return
    descriptor = os.open(entry.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    try:
        if _lock(descriptor):
            os.unlink(entry.path)
    finally:
        os.close(descriptor)


class SafeFile:
    """The file as HDF5 sees it: writing to it never fails.

    After a failure to write, HDF5 may abort the process when it closes the file, or when Python
    exits. So the first failure is kept for `check` to raise, and what is written from then on is
    kept in memory, for HDF5 to find it there until it has closed the file. An interrupt that
    arrives in these methods is treated alike.
    """

    def __init__(self, file: io.FileIO, signals: HeldSignals) -> None:
        self._file = file
        self._signals = signals
        self._position = 0
        self._error: BaseException | None = None
        self._unwritten: dict[int, bytes] = {}

    def check(self) -> None:
        """Raise what went wrong, so that no more is written than HDF5 has begun; or what a handler
        raises of a signal that has arrived."""
        self._signals.deliver()
        if self._error is not None:
            raise self._error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + (os.fstat(self._file.fileno()).st_size if whence else 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        buffer = bytearray(size)
        self.readinto(memoryview(buffer))
        return bytes(buffer)

    def readinto(self, buffer: memoryview) -> int:
        start, stop = self._position, self._position + len(buffer)
        with self._failures_kept():
            self._file.seek(start)
            self._file.readinto(buffer)
        for offset, data in self._unwritten.items():
            low, high = max(start, offset), min(stop, offset + len(data))
            if low < high:
                buffer[low - start : high - start] = data[low - offset : high - offset]
        return len(buffer)

    def write(self, data: memoryview) -> int:
        if self._error is None:
            with self._failures_kept():
                self._file.seek(self._position)
                rest = memoryview(data)
                while rest:
                    rest = rest[self._file.write(rest) :]
        if self._error is not None:
            self._unwritten.pop(self._position, None)
            self._unwritten[self._position] = bytes(data)
        return len(data)

    def truncate(self, size: int) -> int:
        if self._error is None:
            with self._failures_kept():
                self._file.truncate(size)
        return size

    def flush(self) -> None:
        """Nothing is buffered."""

    @contextmanager
    def _failures_kept(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._error = self._error or error
