"""What the C core knows at one moment."""

from collections import namedtuple
from time import perf_counter_ns

from . import kept

#: The parts of Manager._snapshot(), Manager._annotations(), Manager._lines(None), empty without line
#: mode, when that was, on the axis of perf_counter_ns(), of how many calls of each region start and
#: end are kept, or None where that was not counted, and what RunSampler.parts() gave, or None.
Moment = namedtuple(
    "Moment", "tree sketches scale regions calls counters values annotations lines taken_ns kept "
    "samples")


def now(manager, calls, start_over=False, rooms=None, cut=False):
    """The Moment that is; calls: with every call by itself. start_over: what is recorded after it is no
    more of what was recorded before; cut: nor in the same journal. rooms: where the calls go, see
    `rooms`. It imports nothing, which takes its time."""
    taken_ns = perf_counter_ns()
    counted = None if calls or not kept.is_limited(manager) else manager._kept()
    core = manager._snapshot(calls, start_over, rooms, cut)
    lines = []
    if manager._line_mode:
        lines = manager._take_lines() if start_over else manager._lines(None)
    if calls:
        ends = core[4][0]
        counted = [end - begin for begin, end in zip((0, *ends), ends)]
    sampler = manager._run._sampler
    samples = None if sampler is None else sampler.parts(manager, start_over)
    return Moment(*core, manager._annotations(start_over), lines, taken_ns, counted, samples)
