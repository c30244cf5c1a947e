"""`LineStats`: what was counted and timed, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, Protocol, Self, TypeAlias

from .._base.source_lines import block
from .._model.counted_lines import CountedLine, added_up
from . import lprof, tables, whole_calls

if TYPE_CHECKING:
    from .toml_config import ConfigArgument
    from .whole_calls import WholeCalls

#: A function: (file, first line, qualified name).
Key: TypeAlias = tuple[str, int, str]

#: A line of it: (line, hits, time), the time in multiples of the unit.
Row: TypeAlias = tuple[int, int, int | float]


_NOTHING = CountedLine(0, 0, 0)


def _has_more(row: CountedLine) -> bool:
    """Whether more is known of a line than hits and time."""
    return row[3:] != _NOTHING[3:]


class StatsLike(Protocol):
    """What can be added to LineStats: also that of line_profiler itself."""

    timings: dict[Key, list[Row]]
    unit: float


class LineStats:
    """The lines of functions: how often each ran, and for how long.

    timings: {(file, first line, qualified name): [(line, hits, time), ...]}, each list sorted by
    line, the functions in the order in which they were registered. unit: seconds that a time of 1
    stands for, 1e-9 of those that are recorded here.

    sources: {key of timings: the function's lines} of those whose text is known from a file; the
    text of others is looked for where it is needed. lines: {key of timings: [CountedLine, ...]} where
    more is known of lines than hits and times. calls: {name: (how often it was called, the time of that)} of
    functions whose lines cannot be seen, as those written in C.

    Two are equal when timings and unit are. Where several are added, times are in the coarsest of
    their units, rounded to integers.
    """

    timings: dict[Key, list[Row]]
    unit: float
    sources: dict[Key, list[str]]
    lines: dict[Key, list[CountedLine]]
    calls: WholeCalls

    def __init__(
        self, timings: dict[Key, list[Row]], unit: float,
        *, sources: Mapping[Key, list[str]] | None = None,
        lines: Mapping[Key, list[CountedLine]] | None = None,
        calls: WholeCalls | None = None,
    ) -> None:
        self.timings = timings
        self.unit = unit
        self.sources = {} if sources is None else {**sources}
        self.lines = {key: rows for key, rows in (lines or {}).items() if any(map(_has_more, rows))}
        self.calls = {} if calls is None else {**calls}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.timings}, {self.unit:.2G})"

    def __eq__(self, other: object) -> bool:
        try:
            return bool(self.timings == other.timings and self.unit == other.unit)  # type: ignore[attr-defined]
        except AttributeError:
            return NotImplemented

    def __add__(self, other: StatsLike) -> Self:
        return self.from_stats_objects(self, other)

    def __iadd__(self, other: StatsLike) -> Self:
        both = LineStats.from_stats_objects(self, other)
        vars(self).update(vars(both))
        return self

    def print(
        self,
        stream: IO[str] | None = None,
        output_unit: float | None = None,
        stripzeros: bool = False,
        details: bool = True,
        summarize: bool = False,
        sort: bool = False,
        rich: bool = False,
        *,
        config: ConfigArgument = None,
    ) -> None:
        """Print the tables: see show_text()."""
        from .text import show_text

        show_text(self.timings, self.unit, output_unit, stream, stripzeros, details, summarize,
                  sort, rich, config=config, sources=self.sources, calls=self.calls)

    def to_file(self, filename: str | PathLike[str]) -> None:
        """Write a file (.lprof) that from_files() and line_profiler read.

        It also has the text of the functions and `calls`, which line_profiler passes over. The file is
        replaced whole or stays as it was. Raises OSError when it cannot be written.
        """
        lprof.write(filename, self.timings, self.unit, self.known_sources(), self.calls)

    @classmethod
    def from_files(
        cls, file: str | PathLike[str], /, *files: str | PathLike[str]
    ) -> Self:
        """What is in the files, added up: those of to_file(), of any version of line_profiler, and of
        to_json().

        Nothing that a file names is imported or called. Raises OSError when one cannot be read, of
        these CorruptProfileError when it is damaged, or something else.
        """
        return cls.from_stats_objects(*map(_read, (file, *files)))

    @classmethod
    def from_stats_objects(cls, stats: StatsLike, /, *more_stats: StatsLike) -> Self:
        """The sum of all; a copy of a single one."""
        parts = (stats, *more_stats)
        timings, unit = _sum(parts)
        return cls(timings, unit, sources=_sources(parts), lines=_lines(parts), calls=whole_calls.added_up(
            (getattr(stats, "calls", {}), stats.unit / unit) for stats in parts))

    def to_json(self, file: str | PathLike[str] | IO[str] | None = None) -> str | None:
        """All that is known as JSON, the text of the functions included; from_files() reads it.

        {"format", "version", "unit": s, "functions": [{"file", "first_line", "name", "source": its
        lines or null, "lines": [{"line", "hits", "time": in units, "percent": of the function, and
        what else is known}]}], and where there are any "calls": [{"name", "calls", "time"}]}. file: a
        path or a text stream; without it the text is returned. Raises OSError when the file cannot be
        written.
        """
        return tables.delivered(tables.json_text(self), file)

    def to_csv(
        self, file: str | PathLike[str] | IO[str] | None = None, *, all_lines: bool = False
    ) -> str | None:
        """The rows of to_dataframe() as CSV. file: a path or a text stream; without it the text is
        returned. Raises OSError when the file cannot be written."""
        return tables.delivered(tables.csv_text(self, all_lines), file)

    def to_dataframe(self, *, all_lines: bool = False) -> Any:
        """A pandas.DataFrame with a row for each line that ran; all_lines: for every line of the
        functions, with None where it did not run.

        Columns: file, function, first_line, line, hits, time (s), per_hit (s), percent (of the
        function), what else is known of lines (ns where the name says so), source. Raises
        ImportError when pandas is not installed.
        """
        from ..results.data_frames import pandas as imported

        pandas = imported("to_dataframe")
        return pandas.DataFrame(tables.rows(self, all_lines), columns=tables.columns(self))

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        from .html import html

        return html(self)

    def counted(self, key: Key) -> list[CountedLine]:
        """The lines of a function with all that is known of them. Raises KeyError."""
        known = {row.line: row for row in self.lines.get(key, ())}
        scale = self.unit / 1e-9
        return [
            known.get(line, _NOTHING)._replace(
                line=line, hits=hits, time_ns=round(time if scale == 1 else time * scale))
            for line, hits, time in self.timings[key]
        ]

    def known_sources(self) -> dict[Key, list[str]]:
        """{key of timings: the function's lines} of those whose text can be found."""
        found = {key: self.sources.get(key) or block(*key) for key in self.timings}
        return {key: lines for key, lines in found.items() if lines}


def _read(path: str | PathLike[str]) -> LineStats:
    with open(path, "rb") as file:
        data = file.read()
    if data.startswith(b"{"):
        return LineStats(**tables.from_json(path, data))
    return LineStats(**lprof.loaded(path, data))


def _sources(parts: Iterable[StatsLike]) -> dict[Key, list[str]]:
    return {key: lines for stats in parts for key, lines in getattr(stats, "sources", {}).items()}


def _lines(parts: Iterable[StatsLike]) -> dict[Key, list[CountedLine]]:
    """Of the functions of which more is known than hits and times, added up."""
    known = {key for stats in parts for key in getattr(stats, "lines", {})}
    whole = [LineStats(stats.timings, stats.unit, lines=getattr(stats, "lines", {})) for stats in parts]
    return {
        key: added_up(row for stats in whole if key in stats.timings for row in stats.counted(key))
        for key in known
    }


def _sum(parts: Iterable[StatsLike]) -> tuple[dict[Key, list[Row]], float]:
    parts = sorted(parts, key=lambda stats: stats.unit)
    unit = parts[-1].unit
    if len(parts) == 1:
        return {key: list(rows) for key, rows in parts[0].timings.items()}, unit
    sums: dict[Key, dict[int, tuple[int, Any]]] = {}
    for stats in parts:
        scale = stats.unit / unit
        for key, rows in stats.timings.items():
            lines = sums.setdefault(key, {})
            for line, hits, time in rows:
                hits_before, time_before = lines.get(line, (0, 0))
                lines[line] = hits_before + hits, time_before + (time if scale == 1 else scale * time)
    timings: dict[Key, list[Row]] = {
        key: [(line, hits, round(time)) for line, (hits, time) in sorted(lines.items())]
        for key, lines in sums.items()
    }
    return timings, unit


load_stats = LineStats.from_files
