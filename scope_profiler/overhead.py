"""What measuring costs here: measured, so that every report can say it."""

from collections import namedtuple
from functools import cache

from . import _core


class Overhead(namedtuple("Overhead", "inside_ns total_ns")):
    """Nanoseconds that one empty `with region:` adds: to its own time, and to what is around it
    (its own time included)."""

    def added(self, calls, inside):
        """What these calls have added to their own time, and to the time around the `inside` of
        them that were made inside another, in nanoseconds."""
        return self.inside_ns * calls + (self.total_ns - self.inside_ns) * inside


_CALLS = 400
_ROUNDS = 15


def measure():
    """The Overhead on this machine and interpreter, by the clock in use."""
    return _measure(_core.clock_info()["source"])


def measure_line():
    """Nanoseconds that line mode adds to the execution of one line, by the clock in use."""
    return _measure_line(_core.clock_info()["source"])


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
        total = _totals(manager)
        inside.append(total["inner"] / _CALLS)
        around.append((total["outer"] - total["bare"]) / _CALLS)
    manager._record(False)
    return Overhead(min(inside), max(min(around), min(inside)))


_LOOP = """
def loop(rounds):
    for i in rounds:
        i = i
"""


@cache
def _measure_line(source):
    """The same loop with its lines counted and without, each in code of its own."""
    from . import lines

    manager = _core.Manager()
    manager._arm = lines.arm
    loops = {}
    for name in ("plain", "counted"):
        namespace = {}
        exec(compile(_LOOP, "<scope_profiler overhead>", "exec"), namespace)
        loops[name] = namespace["loop"]
    rounds = range(_CALLS)
    added = []
    lines.start(manager)
    try:
        counted = manager._wrap(manager.profile_region("counted"), loops["counted"])
        for _ in range(_ROUNDS):
            times = []
            for loop in (manager._wrap(manager.profile_region("plain"), loops["plain"]), counted):
                manager._begin(False, loop is counted)
                loop(rounds)
                times.append(sum(_totals(manager).values()))
            added.append((times[1] - times[0]) / (2 * _CALLS + 1))
    finally:
        manager._record(False)
        lines.stop(manager)
    return max(0.0, min(added))


def _totals(manager):
    return {row[1].name: row[5] for row in manager._collect(None)}
