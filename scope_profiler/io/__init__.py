"""Files of results: which format a file has, and how one is replaced safely."""

from __future__ import annotations

import io
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..results import ProfilingResults

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf")


class CorruptProfileError(OSError):
    """A file that should hold results but does not: truncated, damaged or something else."""

    def __init__(self, path: str | os.PathLike[str], reason: object) -> None:
        super().__init__(f"cannot read {os.fspath(path)}: {reason}")
        self.path = os.fspath(path)
        self.reason = str(reason)

    def __reduce__(self):
        return type(self), (self.path, self.reason)


class UnsupportedProfileError(ValueError):
    """A sound file of a format, or of a version of it, that is not supported."""


def load(path: str | os.PathLike[str], verbose: bool = False) -> ProfilingResults:
    """The results in a file, whose contents decide on the format.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        When there is no such file to read.
    CorruptProfileError
        When it holds no results, naming the path and what is wrong.
    UnsupportedProfileError
        When a later version wrote it, or it has a format that cannot be read.
    """
    path = Path(path)
    with open(path, "rb") as file:
        head = file.read(512)
    if head.startswith(_HDF5_SIGNATURE):
        from .hdf5 import read_hdf5

        results = read_hdf5(path)
    elif not head:
        raise CorruptProfileError(path, "the file is empty")
    elif head.startswith(b"\x1f\x8b") or head.lstrip().startswith((b"{", b"<")):
        raise UnsupportedProfileError(
            f"{path} looks like JSON or HTML; only HDF5 files can be read"
        )
    else:
        raise CorruptProfileError(
            path, "this is not a profile; it starts with neither HDF5, JSON nor HTML"
        )
    if verbose:
        print(
            f"{path}: {len(results)} region(s) on {results.num_ranks} rank(s), "
            f"{sum(region.num_calls for region in results)} call(s)"
        )
    return results


def write_profile(results: ProfilingResults, path: str | os.PathLike[str]) -> Path:
    """Write results to a file, whose suffix decides on the format; return its path.

    A file that was there is replaced in one step: it stays whole whatever
    happens while writing.

    Raises
    ------
    ValueError
        When no format has this suffix.
    OSError
        When the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in _HDF5_SUFFIXES:
        raise ValueError(f"path must end in one of {', '.join(_HDF5_SUFFIXES)}; got {str(path)!r}")
    from .hdf5 import write_hdf5

    write_hdf5(results, path)
    return path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[io.FileIO]:
    """A new file, to be written to, that replaces `path` when the block ends without exception.

    The file is unbuffered, of bytes, and readable too. It is on the disk
    before the name changes, so that at any time `path` is the old file or the
    new one, each whole; after an exception it is the old one and the new one
    is gone. The mode is ``0o666 & ~umask``. Where `path` is a symbolic link,
    the file that it points to is replaced.

    Raises
    ------
    IsADirectoryError, OSError
        When `path` is a directory, or no regular file (a device, say).
    """
    target = os.path.realpath(path)
    with suppress(FileNotFoundError):
        mode = os.stat(target).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(f"{os.fspath(path)} is a directory")
        if not stat.S_ISREG(mode):
            raise OSError(f"{os.fspath(path)} is not a regular file and will not be replaced")
    directory = os.path.dirname(target)
    # Not derived from the name, which may be as long as names can be.
    temporary = os.path.join(directory, f".scope-profiler-{secrets.token_hex(8)}.tmp")
    # The kernel applies the umask; to ask for it would mean to set it, which
    # other threads would see.
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
    try:
        file = open(os.open(temporary, flags, 0o666), "r+b", buffering=0)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from None
    try:
        with file:
            yield file
            os.fsync(file)
        os.replace(temporary, target)
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
