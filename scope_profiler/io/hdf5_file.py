"""Opening HDF5 files to read them, and what is wrong with those that cannot be read."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import h5py

from .allowance import Allowance
from .hdf5_datasets import Group
from .hdf5_schema import SCHEMA
from .heap_guard import GuardedFile
from .unreadable import CorruptProfileError, UnsupportedProfileError

_Read = TypeVar("_Read")


def opened(
    path: str | os.PathLike[str],
    reader: Callable[[Group, int, io.FileIO], _Read],
    max_bytes: int | None = None,
) -> _Read:
    """What `reader` makes of a file, its schema, and the file as it is open meanwhile; raises as
    `read_hdf5` does.

    An UnsupportedProfileError of it says what the file, by whose path it begins, does or has.
    """
    path = Path(path)
    with open(path, "rb", buffering=0) as raw:
        return read_open(raw, path, lambda root, schema: reader(root, schema, raw), max_bytes)


def read_open(
    raw: io.FileIO, path: Path, reader: Callable[[Group, int], _Read], max_bytes: int | None = None
) -> _Read:
    """As `opened`, of a file that is open."""
    file = ReadFile(raw, path, max_bytes)
    try:
        return file.read(reader)
    finally:
        file.close()


class ReadFile:
    """A file that is open, for HDF5 to read from several times.

    raw, path: The file. max_bytes: What all that is read of it may take, see `Allowance`.
    """

    def __init__(self, raw: io.FileIO, path: Path, max_bytes: int | None = None) -> None:
        self._raw, self._path, self._max_bytes = raw, path, max_bytes
        self._file: h5py.File | None = None
        self._root: Group | None = None

    def read(self, reader: Callable[[Group, int], _Read]) -> _Read:
        """What `reader` makes of the file, as `opened`. HDF5 has it open from the first time on, as that
        takes more than most of what is read afterwards."""
        try:
            root = self._root or self._opened()
            read = reader(root, self._schema)
            self._guarded.check()
            return read
        except UnsupportedProfileError as error:
            raise type(error)(f"{self._path} {error}") from None
        except Exception as error:
            # Whatever h5py or our own checks make of a damaged file. The text of a
            # KeyError is quoted.
            reason = error.args[0] if isinstance(error, KeyError) and error.args else error
            raise CorruptProfileError(self._path, reason or repr(error)) from error

    def _opened(self) -> Group:
        self._guarded = GuardedFile(self._raw)
        allowance = Allowance(os.fstat(self._raw.fileno()).st_size, self._max_bytes)
        self._file = h5py.File(self._guarded, "r")
        if self._file.id.get_create_plist().get_sizes() != (8, 8):
            raise ValueError("its addresses are not of 64 bits")
        root = Group(self._file, self._guarded, allowance)
        self._schema, self._root = _schema(root), root
        return root

    def close(self) -> None:
        """HDF5 no longer has it open; the file itself stays as it is."""
        if self._file is not None:
            self._file.close()
            self._file = self._root = None


def _schema(file: Group) -> int:
    schema = int(file.attribute("scope_profiler_schema", 1))
    if schema > SCHEMA:
        raise UnsupportedProfileError(
            f"has schema {schema}; this version reads up to {SCHEMA}: a later one wrote it"
        )
    return schema
