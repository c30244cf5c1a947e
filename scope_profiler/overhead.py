"""What an empty region costs here: measured, so that every report can say it."""

from functools import cache
from typing import NamedTuple

from . import _core


class Overhead(NamedTuple):
    """Nanoseconds that one empty `with region:` adds: to its own time, and to what is around
    it (its own time included)."""

    inside_ns: float
    total_ns: float


_CALLS = 400
_ROUNDS = 15


def measure():
    """The Overhead on this machine and interpreter, by the clock in use."""
    return _measure(_core.clock_info()["source"])


@cache
def _measure(source):
    """The smallest of a few short bursts."""
    manager = _core.Manager()
    inner, outer, bare = map(manager.profile_region, ("inner", "outer", "bare"))
    rounds = range(_CALLS)
    inside, around = [], []
    for _ in range(_ROUNDS):
        manager._begin(True, False)
        with outer:
            for _ in rounds:
                with inner:
                    pass
        with bare:
            for _ in rounds:
                pass
        total = {row[1].name: row[5] for row in manager._collect(None)}
        inside.append(total["inner"] / _CALLS)
        around.append((total["outer"] - total["bare"]) / _CALLS)
    manager._record(False)
    return Overhead(min(inside), max(min(around), min(inside)))
