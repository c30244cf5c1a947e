"""How far something is that takes long: a bar on the terminal, and nowhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from .._base.shown import shown

#: Seconds before a bar is shown, as what is over by then needs none; and until it is drawn again.
_PATIENCE, _AGAIN = 1.0, 0.1

_WIDTH = 30


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A function that is told how much more of `total` is done.

    It is shown once it has taken a second, when standard error is a terminal, and is gone at the end.
    """
    if not _is_terminal():
        yield lambda more: None
        return
    last, done, is_shown = time.monotonic() + _PATIENCE - _AGAIN, 0, False

    def advance(more: int) -> None:
        nonlocal last, done, is_shown
        done += more
        if time.monotonic() >= last + _AGAIN:
            last, is_shown = time.monotonic(), True
            part = done / total if total else 1.0
            bar = "█" * round(_WIDTH * part)
            _write(f"\r{shown(what)} {bar:░<{_WIDTH}} {100 * part:3.0f} %")

    try:
        yield advance
    finally:
        if is_shown:
            _write("\r\x1b[2K")


def _is_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # it is closed
        return False


def _write(text: str) -> None:
    with suppress(OSError, ValueError):  # it is closed, or cannot print that
        sys.stderr.write(text)
        sys.stderr.flush()
