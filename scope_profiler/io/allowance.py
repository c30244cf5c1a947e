"""How much memory reading a file may take: files that are damaged, or made to do harm, ask for more
than they can need."""

from __future__ import annotations

from typing import Any

from .._base.arguments import integer

#: A file may unpack to this and so many times its own size, in bytes. Ours unpack to 30 times at
#: most, where calls are all alike.
ALWAYS = 256 << 20
TIMES = 64


def check_max_bytes(max_bytes: Any) -> int | None:
    """The argument of `load`: an int of at least 1, or None; TypeError or ValueError if not."""
    if max_bytes is None:
        return None
    return integer("max_bytes", max_bytes, 1, "an int or None")


class Allowance:
    """The memory that may be taken for what a file holds.

    file_size: Of the file, bytes.
    max_bytes: The limit; None for `ALWAYS` and `TIMES` the size of the file.
    """

    def __init__(self, file_size: int, max_bytes: int | None = None) -> None:
        self.file_size = file_size
        self.limit = ALWAYS + TIMES * file_size if max_bytes is None else max_bytes
        self.left = self.limit

    def check(self, size: int, what: str) -> None:
        """Raise ValueError, beginning with `what`, when so many bytes are more than are left."""
        if size > self.left:
            raise ValueError(
                f"{what} takes {size} bytes of memory, with what was read before more than the "
                f"{self.limit} that a file of {self.file_size} bytes may: if it is to be trusted, "
                "raise the limit by load(path, max_bytes=...)"
            )

    def take(self, size: int, what: str) -> None:
        """As `check`, and from now on there are so many bytes less."""
        self.check(size, what)
        self.left -= size
