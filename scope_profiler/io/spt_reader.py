"""Reading ``.spt`` files: traces of native code, one of each rank, versions 1 and 2.

::

    "SCOPEPRF"                      8 bytes
    version (1 or 2), rank          i4 each, in the byte order of who wrote it
    regions                         i8, how many; of each
        length and name             i4, UTF-8
        length and source file      i4, UTF-8, of version 2; empty where unknown
        source line                 i4, of version 2; -1 where unknown
        calls                       i8, how many
        starts, ends                i8 [calls] each, ns on the axis of perf_counter_ns()
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .._base.arguments import text_or_none
from ..results import ProfilingResults
from .allowance import Allowance
from .region_rows import Row, regions_of
from .unreadable import CorruptProfileError, UnsupportedProfileError

MAGIC = b"SCOPEPRF"
_VERSIONS = (1, 2)

#: What a region takes in memory, as objects of Python, besides its calls.
_REGION_BYTES = 3000

#: The shortest that a region can be in the file: the length of its name, and how many calls it has.
_LEAST = 4 + 8


class TraceFormatError(CorruptProfileError):
    """A trace of native code that is truncated, damaged or none."""


def read_spt(path: str | os.PathLike[str], max_bytes: int | None = None) -> ProfilingResults:
    """The results in a trace of native code: the regions of one rank.

    `max_bytes` is what they may take, see `Allowance`.

    Raises FileNotFoundError, IsADirectoryError or PermissionError when there is no such file to read.
    Raises TraceFormatError when it is truncated, damaged or none, saying what is wrong.
    Raises UnsupportedProfileError when a later version wrote it.
    """
    path = Path(path)
    return _results(_rows_of(path, max_bytes)[1], path)


def _rows_of(path: Path, max_bytes: int | None = None) -> tuple[int, list[Row]]:
    """The rank of a trace, and its regions; raises as `read_spt`."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            allowance = Allowance(size, max_bytes)
            allowance.take(size, "the trace")
            rank, rows = _Trace(file.read(), allowance).rows()
            regions_of((), rows)  # raises where they cannot be
            return rank, rows
        except UnsupportedProfileError as error:
            raise type(error)(f"{path} {error}") from None
        except Exception as error:
            # Whatever numpy or our own checks make of a damaged file.
            raise TraceFormatError(path, error or repr(error)) from error


def _results(rows: list[Row], path: Path | None, label: str | None = None) -> ProfilingResults:
    regions = regions_of(dict.fromkeys(name for name, _, _ in rows), rows)
    return ProfilingResults(regions, {"label": label}, file_path=path)


class _Trace:
    """The bytes of a trace, of which lengths are checked before they are believed."""

    def __init__(self, data: bytes, allowance: Allowance) -> None:
        self._data = data
        self._at = len(MAGIC)
        self._allowance = allowance
        if not data.startswith(MAGIC):
            raise ValueError("it is no trace of native code: it does not begin with SCOPEPRF")
        self._order = "<"
        [version] = self._numbers("i")
        if version not in _VERSIONS:
            self._order, self._at = ">", len(MAGIC)
            [swapped] = self._numbers("i")
            if swapped not in _VERSIONS:
                latest = _VERSIONS[-1]
                if min(version, swapped, key=abs) > latest:
                    raise UnsupportedProfileError(
                        f"has version {min(version, swapped)} of the format; this version reads up to "
                        f"{latest}: a later one wrote it"
                    )
                raise ValueError(f"it has version {version} of the format, which there is not")
            version = swapped
        self._version = version

    def rows(self) -> tuple[int, list[Row]]:
        """The rank, and its regions."""
        rank, count = self._numbers("iq")
        if not 0 <= count <= (len(self._data) - self._at) // _LEAST:
            raise ValueError(f"it says that it has {count} regions, more than it can hold")
        self._allowance.take(count * _REGION_BYTES, f"its {count} regions")
        rows = [self._row(rank) for _ in range(count)]
        if self._at != len(self._data):
            raise ValueError(f"{len(self._data) - self._at} bytes follow after the last region")
        return rank, rows

    def _row(self, rank: int) -> Row:
        name = self._text()
        known: dict[str, Any] = {}
        if self._version > 1:
            known["source_file"] = self._text()
            [line] = self._numbers("i")
            known["source_lineno"] = None if line < 0 else line
        [count] = self._numbers("q")
        starts, ends = self._column(count), self._column(count)
        return name, rank, {**known, "start_times_ns": starts, "durations_ns": ends - starts}

    def _numbers(self, kinds: str) -> tuple[int, ...]:
        shape = struct.Struct(self._order + kinds)
        return shape.unpack(self._bytes(shape.size))

    def _text(self) -> str:
        [length] = self._numbers("i")
        return self._bytes(length).decode("utf-8", "surrogateescape")

    def _column(self, count: int) -> np.ndarray:
        return np.frombuffer(self._bytes(8 * count), self._order + "i8").astype(np.int64)

    def _bytes(self, length: int) -> bytes:
        if not 0 <= length <= len(self._data) - self._at:
            raise ValueError(
                f"{length} bytes are to be at {self._at}, but it ends at {len(self._data)}"
            )
        self._at += length
        return self._data[self._at - length : self._at]


def find_traces(inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The paths of traces: those given, and what ``*.spt`` there is in folders that are given.

    Raises FileNotFoundError when one is not there, or nothing is found.
    """
    given: Any = [inputs] if isinstance(inputs, (str, os.PathLike)) else inputs
    found: list[Path] = []
    for path in map(Path, given):
        if path.is_dir():
            found.extend(sorted(path.glob("*.spt")))
        elif path.exists():
            found.append(path)
        else:
            raise FileNotFoundError(f"there is no file or folder {path}")
    if not found:
        raise FileNotFoundError(f"there are no traces *.spt in {', '.join(map(str, given))}")
    return found


def load_traces(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], label: str | None = None
) -> ProfilingResults:
    """The traces of all ranks as one result: of files ``.spt``, and of folders with such files.

    Raises ValueError when two are of the same rank, or as `find_traces` and `read_spt` raise.
    """
    text_or_none("label", label)
    known: dict[int, Path] = {}
    rows: list[Row] = []
    for path in find_traces(inputs):
        rank, of_rank = _rows_of(path)
        if rank in known:
            raise ValueError(f"{known[rank]} and {path} are both of rank {rank}")
        known[rank] = path
        rows.extend(of_rank)
    return _results(rows, None, label)


def convert_traces(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output_path: str | os.PathLike[str],
    label: str | None = None,
) -> Path:
    """Write the traces of all ranks to one file, whose name decides on its format; return its path.

    Raises as `load_traces` and `write_profile` do.
    """
    from .formats import write_profile

    return write_profile(load_traces(inputs, label), output_path)
