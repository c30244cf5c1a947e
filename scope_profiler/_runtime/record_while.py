"""Recording while there is a file: a switch for all processes of a program at once, in `record_while`."""

import os
import time
import _thread

from .._base.unrecorded import unrecorded

#: Seconds between two looks.
PERIOD = 0.5


def reason(path):
    """Why a run is held without the file."""
    return f"record_while={path!r}"


@unrecorded
def look(run, path):
    """Have the run record where there is the file, and not where there is none."""
    is_held = reason(path) in run._held
    if not run.is_active or os.path.exists(path) != is_held:
        return
    if is_held:
        run._manager()._release(run, reason(path))
    else:
        run._manager()._hold(reason(path))


def start(run, path):
    """Look now, and from now on until the run is over. It has to be its manager's."""
    look(run, path)
    # Both are looked up now and not on import: gevent puts others in their place.
    _thread.start_new_thread(_watch, (run, path, time.sleep))


def _watch(run, path, sleep):
    while run.is_active:
        sleep(PERIOD)
        look(run, path)
