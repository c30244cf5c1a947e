"""Room on disk for the calls of a long run while its file is written, so that they need no memory.

The core makes columns of all calls, and puts them into the folder that the results go to.
"""

import os

from .._base.room import room

#: The calls of shorter runs take less than 40 MB.
_LONG = 1 << 21

#: Of a call, in each of the columns of `_core.Manager._events()`.
_BYTES = (8, 8, 8, 8, 8, 8, 4)

#: More calls may end before the core looks.
_MORE = 1 << 16


def rooms(manager, path):
    """A buffer for each column that the run has, or None; None for a short run, and where that cannot be
    had."""
    counters = manager._counters()
    if counters["calls"] < _LONG or not hasattr(os, "posix_fallocate"):
        return None
    calls = counters["calls"] + _MORE
    has_tasks = manager._tasks is not None
    wanted = (True, True, counters["threads"] > 1, bool(manager._annotations()[0]), has_tasks, has_tasks,
              True)
    folder = os.path.dirname(os.path.realpath(path)) or "."
    found = []
    for size, is_wanted in zip(_BYTES, wanted):
        found.append(room(folder, calls * size) if is_wanted else None)
        if is_wanted and found[-1] is None:
            return None
    return tuple(found)
