"""What is wrong with a file that cannot be read."""

from __future__ import annotations

import os
from typing import Any


class _NamesItsFile(Exception):
    """An exception with the path of a file and the reason why it cannot be read."""

    def __init__(self, path: str | os.PathLike[str], reason: object) -> None:
        super().__init__(f"cannot read {os.fspath(path)}: {reason}")
        self.path = os.fspath(path)
        self.reason = str(reason)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.reason)


class CorruptProfileError(_NamesItsFile, OSError):
    """A file that should hold results but does not: truncated, damaged or something else."""


class JSONProfileError(_NamesItsFile, ValueError):
    """A JSON file that holds no results: truncated, damaged, of a later version or foreign."""


class UnsupportedProfileError(ValueError):
    """A sound file of a format, or of a version of it, that is not supported."""
