"""What the C core knows at one moment."""

from collections import namedtuple

#: The parts of Manager._snapshot(), Manager._annotations(), and Manager._lines(None), empty without
#: line mode.
Moment = namedtuple("Moment", "tree sketches scale regions calls counters annotations lines")


def now(manager, calls):
    """The Moment that is; calls: with every call by itself. It imports nothing, which takes its time."""
    return Moment(*manager._snapshot(calls), manager._annotations(),
                  manager._lines(None) if manager._line_mode else [])
