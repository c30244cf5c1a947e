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
    """What the core does not know, to which `_journal_state` adds the tree."""
    taken_ns = perf_counter_ns()
    counters = manager._counters()
    watch, tasks = manager._on_thread, manager._tasks
    lines = counted_lines(manager) if manager._line_mode else []
    return {
        "taken_ns": taken_ns,
        "whole": run._journal_is_whole,
        "limited": kept.is_limited(manager) or bool(run._settings["min_duration"]),
        "facts": {name: value for name, value in counters.items() if isinstance(value, int)},
        "lines": [_table(table) for table in lines],
        "threads": watch and watch.facts(run.start_time_ns, counters["threads"]),
        "tasks": tasks and tasks.facts(run.start_time_ns),
    }


def _table(table):
    from .._base import source_lines  # where lines are counted it is there

    source = source_lines.text_of(table.code, max((row.line for row in table.rows), default=0))
    rows, again = ([_line(row) for row in of_table] for of_table in (table.rows, table.again))
    return table.region, tuple(table.code), rows, again, source


def _line(row):
    return row._replace(sketch=None if row.sketch is None else buckets.rows(row.sketch))
