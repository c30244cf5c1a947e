"""The statistics of a region: one immutable object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from os import PathLike
from typing import IO, Any, Self

from .._base import above
from .counted_lines import CountedLine
from .work import rates


class _Seconds(property):
    """A time in seconds, of which RegionStatistics has the nanoseconds."""

    def __init__(self, time: str) -> None:
        def seconds(statistics: RegionStatistics) -> float | None:
            value = getattr(statistics, f"{time}_ns")
            return None if value is None else value / 1e9

        super().__init__(seconds)
        self.__doc__ = f"{time}, in seconds."  # before 3.12 the class's own is before one that is given

    def __get__(  # type: ignore[override]  # that of property gives anything
        self, statistics: Any, owner: type | None = None, /
    ) -> float:
        return super().__get__(statistics, owner)


#: No call is longer: so squares of times are numbers, too.
LONGEST_NS = float(1 << 63)


@dataclass(frozen=True, slots=True)
class RegionStatistics:
    """What is known of all finished calls of one region in the current run.

    num_calls: finished calls, without throttled_calls. errors: those that an exception left.
    open_calls: not finished.
    total: wall time inside the region; of a recursion the outermost call alone.
    exclusive: total less what regions inside it took.
    average, minimum, maximum, std: over every call, std of the population.
    sum: the durations of all calls added up; of a recursion also of those inside another.
    p50, p90, p95, p99, p999: percentiles, within 0.8 % (a log-linear histogram, after
    HdrHistogram and DDSketch), in constant memory.
    open_total, open_exclusive: what the calls that are not finished have come to, as total and
    exclusive of those that are; so far as their thread runs them now.
    corrected_total, corrected_exclusive: less what measuring is estimated to have added (see
    overhead.py). An estimate: where it comes out below 0, the time was less than the overhead.
    running, waiting: of the total, what generators, coroutines and tasks ran, and what they stood
    still. Of a `with` around an await that is known with track_async=True; None where it is not.
    Each of these times is a float in seconds; with the suffix _ns, an integer in nanoseconds.
    allocated_bytes, freed_bytes: what the calls took and gave back through Python's allocators and
    NumPy's, what they called included, each in its own thread; of a recursion the outermost call alone.
    allocations, frees: in so many blocks. peak_bytes: the most that one call had more at a time than
    when it began. None without setup(memory=True).
    work: what Region.add() was given in these calls and in those that are open, {quantity: sum}. Of the
    region itself: what was added to regions inside is theirs. work_rates: for each second in the region,
    open calls included; of threads and ranks together a mean, as their times add up. None where nothing
    was added.
    throttled_calls: further calls, which setup(throttle_calls=...) had counted and not timed: their
    durations, memory and exceptions are not known, and their time is in the own time of what called them.
    timings: in line mode {(file, first line, function): [(line, hits, time), ...]} with time in
    multiples of `unit` seconds; else None.
    lines: in line mode all that is known of each line, {(file, first line, function):
    [CountedLine, ...]}; else None.
    """

    name: str
    num_calls: int
    errors: int
    open_calls: int
    total_ns: int
    exclusive_ns: int
    average_ns: int
    minimum_ns: int
    maximum_ns: int
    std_ns: int
    p50_ns: int
    p90_ns: int
    p95_ns: int
    p99_ns: int
    p999_ns: int
    corrected_total_ns: int
    corrected_exclusive_ns: int
    running_ns: int | None
    waiting_ns: int | None
    sum_ns: int
    open_total_ns: int
    open_exclusive_ns: int
    timings: dict[tuple[str, int, str], list[tuple[int, int, int]]] | None = None
    unit: float = 1e-9
    lines: dict[tuple[str, int, str], list[CountedLine]] | None = None
    allocated_bytes: int | None = None
    freed_bytes: int | None = None
    allocations: int | None = None
    frees: int | None = None
    peak_bytes: int | None = None
    work: dict[str, float] | None = None
    throttled_calls: int = 0

    total = _Seconds("total")
    exclusive = _Seconds("exclusive")
    minimum = _Seconds("minimum")
    maximum = _Seconds("maximum")
    std = _Seconds("std")
    p50 = _Seconds("p50")
    p90 = _Seconds("p90")
    p95 = _Seconds("p95")
    p99 = _Seconds("p99")
    p999 = _Seconds("p999")
    corrected_total = _Seconds("corrected_total")
    corrected_exclusive = _Seconds("corrected_exclusive")
    running = _Seconds("running")
    waiting = _Seconds("waiting")
    sum = _Seconds("sum")
    open_total = _Seconds("open_total")
    open_exclusive = _Seconds("open_exclusive")

    @property
    def net_bytes(self) -> int | None:
        """What the calls took and did not give back: allocated_bytes less freed_bytes; None when that
        was not measured."""
        if self.allocated_bytes is None or self.freed_bytes is None:
            return None
        return self.allocated_bytes - self.freed_bytes

    @property
    def counted_calls(self) -> int:
        """All finished calls: num_calls and throttled_calls."""
        return self.num_calls + self.throttled_calls

    @property
    def work_rates(self) -> dict[str, float] | None:
        """work for each second of the region's time; None without work, or time."""
        return rates(self.work, self.total_ns + self.open_total_ns)

    @property
    def average(self) -> float:
        """average, in seconds: not rounded, as average_ns is."""
        return self.sum_ns / (self.num_calls * 10**9) if self.num_calls else 0.0

    @classmethod
    def from_row(
        cls, row: tuple[Any, ...], added_ns: Callable[[bytes], float],
        lines: dict[tuple[str, int, str], list[CountedLine]] | None = None,
    ) -> Self:
        """From a row of _core.Manager._collect(). added_ns: that of the Overhead of the run."""
        (_, region, calls, errors, open_calls, total, every, exclusive, minimum, maximum, std,
         percentiles, _, added, added_below, waiting, open_total, open_exclusive, memory, work, _,
         throttled) = row
        average = round(every / calls) if calls else 0
        timings = None if lines is None else {
            code: [row[:3] for row in rows] for code, rows in lines.items()
        }
        p50, p90, p95, p99, p999 = percentiles
        return cls(region.name, calls, errors, open_calls, total, exclusive, average, minimum,
                   maximum, round(std), p50, p90, p95, p99, p999,
                   round(total - added_ns(added_below)),
                   round(exclusive - added_ns(added)),
                   None if waiting is None else total - waiting, waiting,
                   every, open_total, open_exclusive, timings, lines=lines, work=work,
                   throttled_calls=throttled,
                   **({} if memory is None else dict(zip(MEMORY, memory))))

    def print(self, stream: IO[str] | None = None) -> None:
        """Print the statistics, and in line mode the line tables, to stream (sys.stdout)."""
        above.get("print_statistics")(self, stream)

    def to_file(self, filename: str | PathLike[str]) -> None:
        """Write the lines to a file that line_profiler reads (`python -m line_profiler FILE`,
        LineStats.from_files); that need not be installed.

        The file is replaced whole or stays as it was. Raises RuntimeError without line mode,
        OSError when the file cannot be written.
        """
        if self.timings is None:
            raise RuntimeError("to_file() without lines: they are counted after "
                               "setup(use_line_profiler=True)")
        above.get("write_lprof")(filename, self.timings, self.unit)

    @classmethod
    def nothing_of(cls, name: str) -> Self:
        """Of no calls."""
        times: dict[str, Any] = dict.fromkeys((f"{time}_ns" for time in TIMES), 0)
        times["running_ns"] = times["waiting_ns"] = None
        return cls(name, num_calls=0, errors=0, open_calls=0, **times)

    def to_dict(self) -> dict[str, Any]:
        """Everything as a dict of plain values, times both in seconds and in ns."""
        values: dict[str, Any] = {"name": self.name, "num_calls": self.num_calls,
                                  "errors": self.errors, "open_calls": self.open_calls,
                                  "throttled_calls": self.throttled_calls}
        for time in TIMES:
            values[time] = getattr(self, time)
        for time in TIMES:
            values[time + "_ns"] = getattr(self, time + "_ns")
        for name in MEMORY:
            values[name] = getattr(self, name)
        values["work"], values["work_rates"] = self.work, self.work_rates
        values["timings"] = self.timings
        values["unit"] = self.unit
        values["lines"] = self.lines and {
            code: [row._asdict() for row in rows] for code, rows in self.lines.items()
        }
        return values


#: What is known of memory, where that is measured.
MEMORY = ("allocated_bytes", "freed_bytes", "allocations", "frees", "peak_bytes")

#: Each is a float in seconds under this name, and an integer in ns under name_ns.
TIMES = tuple(
    each.name.removesuffix("_ns") for each in fields(RegionStatistics) if each.name.endswith("_ns")
)
