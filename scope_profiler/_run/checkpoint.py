"""The state of a run, from time to time in its journal: what its calls do not tell.

It runs in the middle of the program, so it imports nothing; io/journal_state.py reads it.
"""

from time import perf_counter_ns

from .._instrument.lines import counted_lines
from .._model import buckets
from . import kept

_PAUSE_NS = 10**9  # between two of them, at least,
_SHARE = 100  # and so many times as long as one took: 1 % of the program's time


def make(manager):
    """Write it; returns the nanoseconds until the next one."""
    begun = perf_counter_ns()
    if manager._run is not None:
        manager._journal_state(_state(manager, manager._run))
    return max(_PAUSE_NS, _SHARE * (perf_counter_ns() - begun))


def _state(manager, run):
    taken_ns = perf_counter_ns()
    tree, sketches, scale, regions, _, counters, values = manager._snapshot(False, False, None, False, False)
    watch, tasks = manager._on_thread, manager._tasks
    lines = counted_lines(manager) if manager._line_mode else []
    return {
        "taken_ns": taken_ns,
        "whole": run._journal_is_whole,
        "limited": kept.is_limited(manager) or bool(run._settings["min_duration"]),
        "scale": scale,
        "tree": [_node(row) for row in tree],
        "counters": values[0],
        "sketches": [_buckets(*sketch) for sketch in sketches],
        "regions": [_place(row[1]) for row in regions if row[2] or row[4]],
        "facts": {name: value for name, value in counters.items() if isinstance(value, int)},
        "lines": [_table(table) for table in lines],
        "threads": watch and watch.facts(run.start_time_ns, counters["threads"]),
        "tasks": tasks and tasks.facts(run.start_time_ns),
    }


def _node(row):
    """A row of Manager._collect(None) without what measuring added, its region by name."""
    region = row[1]
    return row[0], region and region.name, *row[2:12], *row[15:]


def _buckets(first, counts):
    """The number of each bucket with calls, and how many these are."""
    return [(first + place, count)
            for place, count in enumerate(memoryview(counts).cast("Q")) if count]


def _place(region):
    return (region.name, region.source_file if region.has_source else "", region.source_lineno or 0,
            region.tags)


def _table(table):
    from .._base import source_lines  # where lines are counted it is there

    source = source_lines.text_of(table.code, max((row.line for row in table.rows), default=0))
    rows, again = ([_line(row) for row in of_table] for of_table in (table.rows, table.again))
    return table.region, tuple(table.code), rows, again, source


def _line(row):
    return row._replace(sketch=None if row.sketch is None else buckets.rows(row.sketch))
