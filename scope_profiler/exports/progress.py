"""A bar on the terminal for files that take a while to write."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from .._base.shown import cut, shown

#: Fewer calls are written before a bar would be read.
_MANY = 300_000

#: Cells of the bar itself, and the most that the name of the file takes.
_BAR, _NAME = 30, 36


@contextmanager
def progress(path: str | os.PathLike[str], total: int) -> Iterator[Callable[[int], object]]:
    """Inside, call what is given with how many of the `total` calls more have been written.

    On a terminal alone there is a bar, on standard error, and only for files of many calls. It is
    gone at the end.
    """
    if total < _MANY or not _is_terminal():
        yield lambda calls: None
        return
    name = cut(shown(os.path.basename(path)), _NAME)
    done = 0

    def advance(calls: int) -> None:
        nonlocal done
        before, done = done, done + calls
        if 100 * before // total != 100 * done // total:
            share = min(done / total, 1)
            full = int(share * _BAR)
            _show(f"\rWriting {name} {'━' * full}{' ' * (_BAR - full)} {share:4.0%}")

    try:
        yield advance
    finally:
        _show("\r\x1b[K")


def _show(text: str) -> None:
    with suppress(OSError, ValueError, UnicodeError):  # a terminal that is gone, or has no such letter
        sys.stderr.write(text)
        sys.stderr.flush()


def _is_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False
