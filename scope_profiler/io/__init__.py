"""Files of results: which format a file has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import CorruptProfileError, UnsupportedProfileError
from .safe_file import replacing

if TYPE_CHECKING:
    from ..results import ProfilingResults

__all__ = ["CorruptProfileError", "UnsupportedProfileError", "load", "replacing", "write_profile"]

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf")


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
        from .hdf5_reader import read_hdf5

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
    from .hdf5_writer import write_hdf5

    write_hdf5(results, path)
    return path
