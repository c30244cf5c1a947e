"""The columns of a table of lines: what each is called, what it shows and when it is there."""

from collections.abc import Callable
from typing import Any, NamedTuple

from .style import format_bytes, format_count, format_time


class _Column(NamedTuple):
    heading: str
    value: "Callable[[Any], int | None]"  # of a CountedLine; None where it was not measured
    shown: "Callable[[int, int], str]"  # the value, and that of all lines


def _time(value, total):
    return format_time(value) if value >= 0 else "< overhead"


def best_ns(row):
    """What is shown as the time of a line: less what measuring has added where that is known, and below
    0 where that is more."""
    return row.time_ns if row.net_ns is None else row.net_ns


def total_ns(rows):
    """The time of the lines together."""
    return sum(max(best_ns(row), 0) for row in rows)


def share(row, total):
    """Of total_ns() of all lines."""
    return max(best_ns(row), 0) / total if total else 0.0


def _per_hit(row):
    return round(max(best_ns(row), 0) / row.hits) if row.hits else None


def _bytes(value, total):
    return format_bytes(value)


def _count(value, total):
    return format_count(value)


def _raised(value, total):
    return format_count(value) if value else ""


def _share(value, total):
    return f"{100 * value / total:.1f}" if total else "0.0"


#: In the order of the table.
COLUMNS = {
    "hits": _Column("Hits", lambda row: row.hits, _count),
    "time": _Column("Time", lambda row: row.time_ns if row.net_ns is None else None, _time),
    "net": _Column("Net", lambda row: row.net_ns, _time),
    "per_hit": _Column("Per hit", _per_hit, _time),
    "share": _Column("% time", lambda row: max(best_ns(row), 0), _share),
    "own": _Column("Own", lambda row: row.own_ns, _time),
    "waiting": _Column("Waiting", lambda row: row.waiting_ns, _time),
    "minimum": _Column("Min", lambda row: row.minimum_ns, _time),
    "p99": _Column("p99", lambda row: row.p99_ns, _time),
    "maximum": _Column("Max", lambda row: row.maximum_ns, _time),
    "raised": _Column("Raised", lambda row: row.raised, _raised),
    "measured": _Column("Measured", lambda row: None if row.net_ns is None else row.time_ns, _time),
    "memory": _Column("Memory", lambda row: row.resident_bytes, _bytes),
    "increment": _Column("Increment", lambda row: row.increment_bytes, _bytes),
    "allocated": _Column("Allocated", lambda row: row.allocated_bytes, _bytes),
    "freed": _Column("Freed", lambda row: row.freed_bytes, _bytes),
    "peak": _Column("Peak", lambda row: row.peak_bytes, _bytes),
    "blocks": _Column("Blocks", lambda row: row.allocations, _count),
}

HEADINGS = {name: column.heading for name, column in COLUMNS.items()}

#: What has to go first where there is not room for all comes last; the first are there in any case.
PRIORITY = ("hits", "net", "time", "share", "per_hit", "increment", "allocated", "memory", "peak",
            "waiting", "own", "raised", "freed", "maximum", "p99", "minimum", "blocks", "measured")
ALWAYS = PRIORITY[:5]

#: What says nothing where no line has any.
_WHERE_ANY = {"waiting", "raised"}


def chosen(rows):
    """The columns in which the rows have something to tell, in order."""
    return [column for column in COLUMNS if _says_something(column, rows)]


def _says_something(column, rows):
    values = [COLUMNS[column].value(row) for row in rows]
    if column == "own":
        return any(row.callees_ns for row in rows)
    return any(values) if column in _WHERE_ANY else any(value is not None for value in values)


def cell(column, row, total):
    """The text of a column for a CountedLine. total: total_ns() of all lines."""
    value = COLUMNS[column].value(row)
    return "" if value is None else COLUMNS[column].shown(value, total)
