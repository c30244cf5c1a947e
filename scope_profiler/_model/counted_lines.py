"""What line mode counted in a line, on its way from the core to results, files and reports.

A number that is new is a field of CountedLine, after the others and None by default, and a row of
ADDED_UP. The core gives it under that name (src/lines/line_rows.c). Results and files have it then as a
column of that name; report/line_columns.py says how it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from . import buckets
from .buckets import Buckets
from .counted_code import CountedCode


class CountedLine(NamedTuple):
    """A line of a function. Times are nanoseconds; a number that was not measured is None.

    line: its number in the file.
    hits: how often it began.
    time_ns: from there to the next line of the function, with all that the line called, and without
        the time in which a generator or coroutine was suspended.
    waiting_ns: how long generators and coroutines were suspended there. None in other functions.
    overhead_ns: what of the time measuring is estimated to have added, by the line's own events and what
        was recorded below it (see line_overhead.py).

    With line_memory:
    allocated_bytes, freed_bytes: what the line took and gave back through Python's allocators and
        NumPy's, with all that it called, in its thread.
    allocations, frees: in so many blocks.
    peak_bytes: the most that one round of the line had more at a time than when it began.
    resident_bytes: the most memory that the process used after it, by the system's count.
    increment_bytes: by how much that grew while it ran, in all; below 0 where it shrank.

    With line_details:
    minimum_ns, maximum_ns, p99_ns: of the time of single hits, the last within 0.8 %. None where no hit
        has ended. That of lines put together is of all their hits; None where these are not known of one.
    raised: how often an exception was raised there or came out of what the line called, once for each
        exception and frame: not when it is raised again. What ends iterations and generators
        (StopIteration, StopAsyncIteration, GeneratorExit) does not count.
    callees_ns: what of the time functions took that the line called and whose lines are recorded.
    sketch: how long the hits took that have ended: what p99_ns comes from.
    """

    line: int
    hits: int
    time_ns: int
    waiting_ns: int | None = None
    overhead_ns: int | None = None
    minimum_ns: int | None = None
    maximum_ns: int | None = None
    p99_ns: int | None = None
    raised: int | None = None
    callees_ns: int | None = None
    allocated_bytes: int | None = None
    freed_bytes: int | None = None
    allocations: int | None = None
    frees: int | None = None
    peak_bytes: int | None = None
    resident_bytes: int | None = None
    increment_bytes: int | None = None
    sketch: Buckets | None = None

    @property
    def net_ns(self) -> int | None:
        """time_ns without overhead_ns. Below 0 the time was less than the overhead."""
        return None if self.overhead_ns is None else self.time_ns - self.overhead_ns

    @property
    def own_ns(self) -> int | None:
        """time_ns without callees_ns."""
        return None if self.callees_ns is None else self.time_ns - self.callees_ns

    def sums(self) -> CountedLine:
        """Those of its numbers that can be added up and taken off, and its sketch."""
        return CountedLine(self.line, **{name: getattr(self, name) for name in SUMS}, sketch=self.sketch)

    def less(self, earlier: CountedLine) -> CountedLine:
        """What was added to it since `earlier`. Its extremes stay those of all hits."""
        left: dict[str, Any] = {
            name: getattr(self, name) - (getattr(earlier, name) or 0)
            for name in SUMS if getattr(self, name) is not None
        }
        if self.sketch is not None:
            left["sketch"] = buckets.less(self.sketch, earlier.sketch or {})
        return self._replace(**left).with_percentile()

    def with_percentile(self) -> CountedLine:
        """With p99_ns as its sketch has it."""
        ns = None if self.sketch is None else buckets.percentile(self.sketch, 0.99)
        if ns is not None and self.minimum_ns is not None:
            ns = max(ns, self.minimum_ns)
        if ns is not None and self.maximum_ns is not None:
            ns = min(ns, self.maximum_ns)
        return self._replace(p99_ns=ns)


def _sum(values: list[int | None]) -> int | None:
    """None where one is not known."""
    return None if None in values else sum(values)  # type: ignore[arg-type]


def _of_known(choose: Callable[[list[int]], int]) -> Callable[[list[int | None]], int | None]:
    def chosen(values: list[int | None]) -> int | None:
        known = [value for value in values if value is not None]
        return choose(known) if known else None

    return chosen


#: How the numbers of a line from several places make one: of its regions, threads, processes. The sketches
#: are put together, and the percentile comes from that.
ADDED_UP: dict[str, Callable[[list[int | None]], int | None]] = {
    "hits": _sum,
    "time_ns": _sum,
    "waiting_ns": _sum,
    "overhead_ns": _sum,
    "minimum_ns": _of_known(min),
    "maximum_ns": _of_known(max),
    "p99_ns": lambda values: None,  # it comes from the sketch
    "raised": _sum,
    "callees_ns": _sum,
    "allocated_bytes": _sum,
    "freed_bytes": _sum,
    "allocations": _sum,
    "frees": _sum,
    "peak_bytes": _of_known(max),
    "resident_bytes": _of_known(max),
    "increment_bytes": _sum,
}

#: What can be added up.
SUMS = tuple(name for name, add in ADDED_UP.items() if add is _sum)
#: What may be known of a line besides hits and time.
EXTRAS = tuple(ADDED_UP)[2:]


def added_up(rows: Iterable[CountedLine]) -> list[CountedLine]:
    """Each line once, by number: what is known of the same line is added up."""
    by_line: dict[int, list[CountedLine]] = {}
    for row in rows:
        by_line.setdefault(row.line, []).append(row)
    return [
        same[0] if len(same) == 1 else _together(line, same)
        for line, same in sorted(by_line.items())
    ]


def _together(line: int, rows: list[CountedLine]) -> CountedLine:
    known = {name: add([getattr(row, name) for row in rows]) for name, add in ADDED_UP.items()}
    sketches = [row.sketch for row in rows if row.sketch is not None]
    known["sketch"] = buckets.together(sketches) if len(sketches) == len(rows) else None  # type: ignore[assignment]
    if any(row.sketch is None and row.minimum_ns is None for row in rows):  # single hits were not looked at
        known["minimum_ns"] = known["maximum_ns"] = None
    return CountedLine(line, **known).with_percentile()  # type: ignore[arg-type]


class CountedLines(NamedTuple):
    """The lines of a function for a region, by number.

    again: what of that was counted for another region of the run already: the sums alone, of the
        lines where there is any.
    source: the text of the function as it was when the lines were counted; None where it is not known.
    """

    region: str
    code: CountedCode
    rows: list[CountedLine]
    again: list[CountedLine]
    source: str | None = None

    def first(self) -> list[CountedLine]:
        """The lines as far as no other region counted them already."""
        again = {row.line: row for row in self.again}
        rows = (row.less(again[row.line]) if row.line in again else row for row in self.rows)
        return [row for row in rows if row.hits or row.time_ns]


def once(tables: Iterable[CountedLines]) -> list[tuple[CountedCode, list[CountedLine]]]:
    """The lines of all regions and processes, each line of each function once."""
    by_code: dict[CountedCode, list[CountedLine]] = {}
    for table in tables:
        rows = table.first()
        if rows:
            by_code.setdefault(table.code, []).extend(rows)
    return [(code, added_up(rows)) for code, rows in by_code.items()]


def sources(tables: Iterable[CountedLines]) -> dict[CountedCode, str]:
    """The text of each function of which it is known."""
    return {table.code: table.source for table in tables if table.source is not None}
