"""Journals in a folder: whose they are, and what they become."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from .._base import file_names
from .journal_blocks import JournalFile

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_NAME = re.compile(r"(?P<stem>.+)\.\d+(-\d+)?\.journal")


def journals_of(path: Path) -> list[Path]:
    """The journals beside a file of results, which have its name; sorted."""
    found = []
    for other in sorted(path.parent.glob("*.journal")):
        name = _NAME.fullmatch(other.name)
        if name is not None and name["stem"] == path.name:
            found.append(other)
    return found


def all_journals(folder: Path) -> list[Path]:
    """The journals in a folder, sorted. Raises OSError when it cannot be read."""
    return sorted(Path(entry.path) for entry in os.scandir(folder)
                  if entry.is_file() and _NAME.fullmatch(entry.name))


def is_in_use(path: Path) -> bool:
    """Whether the program that writes it goes on. Raises OSError when it cannot be read."""
    return _is_locked(path) or fcntl is None and _is_alive(path)


def _is_locked(path: Path) -> bool:
    """Whether somebody has the lock that src/journal/mapped_file.c takes."""
    command = getattr(fcntl, "F_OFD_GETLK", None)
    if command is None:
        return _is_alive(path)
    import struct

    with open(path, "rb") as file:
        asked = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 1 << 62, 1, 0)
        try:
            answer = fcntl.fcntl(file, command, asked)
        except OSError:  # a file system without locks
            return _is_alive(path)
    return struct.unpack("hhqqi4x", answer)[0] != fcntl.F_UNLCK


def _is_alive(path: Path) -> bool:
    """Whether there is a process with the number of the one that wrote it."""
    with JournalFile(path) as file:
        process = file.journal().facts.get("process_id")
    if not isinstance(process, int) or process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def target_of(path: Path, taken: Sequence[Path] = ()) -> Path:
    """Where the results of a journal go: beside it, by the name of the run's file with "recovered" in it,
    and a number where there is one."""
    name = _NAME.fullmatch(path.name)
    stem, suffix = file_names.split(name["stem"] if name else path.name.removesuffix(".journal"))
    if suffix.lower() not in (*file_names.HDF5, *file_names.JSON):
        stem, suffix = stem + suffix, ".h5"
    number = 1
    while True:
        target = path.with_name(f"{stem}.recovered{f'-{number}' if number > 1 else ''}{suffix}")
        if target not in taken and not target.exists():
            return target
        number += 1
