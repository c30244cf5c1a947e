"""What is wrong with a file that cannot be read."""

from __future__ import annotations

import os


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
