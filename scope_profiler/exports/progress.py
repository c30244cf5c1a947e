"""A bar on the terminal for files that take a while to write."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .._base.shown import shown

#: Fewer calls are written before a bar would be read.
_MANY = 300_000


@contextmanager
def progress(path: str | os.PathLike[str], total: int) -> Iterator[Callable[[int], object]]:
    """Inside, call what is given with how many of the `total` calls more have been written.

    On a terminal alone there is a bar, on standard error, and only for files of many calls.
    """
    if total < _MANY or not _is_terminal():
        yield lambda calls: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"Writing {escape(shown(os.path.basename(path)))}", total=total)
        yield lambda calls: bar.advance(task, calls)


def _is_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False
