"""Garbage collection, put off while many objects are made of which none is garbage."""

from collections.abc import Iterator
from contextlib import contextmanager
import gc


@contextmanager
def put_off() -> Iterator[None]:
    """No collection inside: it would look at all objects, again and again, and find nothing.

    With a hundred thousand regions that is nearly half of the time of reading a file.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
