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
    guarded = GuardedFile(raw)
    allowance = Allowance(os.fstat(raw.fileno()).st_size, max_bytes)
    try:
        with h5py.File(guarded, "r") as file:
            if file.id.get_create_plist().get_sizes() != (8, 8):
                raise ValueError("its addresses are not of 64 bits")
            root = Group(file, guarded, allowance)
            read = reader(root, _schema(root))
        guarded.check()
        return read
    except UnsupportedProfileError as error:
        raise type(error)(f"{path} {error}") from None
    except Exception as error:
        # Whatever h5py or our own checks make of a damaged file. The text of a
        # KeyError is quoted.
        reason = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise CorruptProfileError(path, reason or repr(error)) from error


def _schema(file: Group) -> int:
    schema = int(file.attribute("scope_profiler_schema", 1))
    if schema > SCHEMA:
        raise UnsupportedProfileError(
            f"has schema {schema}; this version reads up to {SCHEMA}: a later one wrote it"
        )
    return schema
