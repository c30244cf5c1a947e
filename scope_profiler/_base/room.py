"""Room on disk for what is too large for memory."""

import mmap
import os
from contextlib import suppress


#: Linux maps with a page what lies around it, as much as this.
_AROUND = 2 << 20


class Room(mmap.mmap):
    """A file without a name, mapped into memory: what the system has no memory for, it writes there."""


def room(folder, size):
    """A Room of so many bytes in the folder, or None where that cannot be had."""
    import tempfile  # loads some ten modules, and few runs want a room

    with suppress(OSError, ValueError), tempfile.TemporaryFile(dir=folder) as file:
        # A page that finds no room on the disk would end the program.
        os.posix_fallocate(file.fileno(), 0, size)
        return Room(file.fileno(), size)
    return None


def rest(array):
    """The values of an array are not needed for now: where they lie in a Room, they leave the memory of the
    process, and come back from the file when they are looked at. Less than a page stays."""
    if array.nbytes < mmap.PAGESIZE:
        return
    of = array
    while (below := getattr(of, "base", getattr(of, "obj", None))) is not None:
        of = below
    if not isinstance(of, Room):
        return
    whole = memoryview(of)
    begin = array.ctypes.data - _address(whole)
    aligned = max(begin - _AROUND, 0) // mmap.PAGESIZE * mmap.PAGESIZE
    of.madvise(mmap.MADV_DONTNEED, aligned, begin + array.nbytes - aligned)


def _address(view):
    import numpy as np

    return np.frombuffer(view, np.uint8).ctypes.data
