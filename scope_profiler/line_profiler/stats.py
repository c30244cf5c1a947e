"""`LineStats`: what was counted and timed, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, Protocol, Self, TypeAlias

from .._base.source_lines import block
from . import lprof

if TYPE_CHECKING:
    from .toml_config import ConfigArgument

#: A function: (file, first line, qualified name).
Key: TypeAlias = tuple[str, int, str]

#: A line of it: (line, hits, time), the time in multiples of the unit.
Row: TypeAlias = tuple[int, int, int | float]


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
    text of others is looked for where it is needed.

    Two are equal when timings and unit are. Where several are added, times are in the coarsest of
    their units, rounded to integers.
    """

    timings: dict[Key, list[Row]]
    unit: float
    sources: dict[Key, list[str]]

    def __init__(
        self, timings: dict[Key, list[Row]], unit: float,
        *, sources: Mapping[Key, list[str]] | None = None,
    ) -> None:
        self.timings = timings
        self.unit = unit
        self.sources = {} if sources is None else {**sources}

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
        self.timings, self.unit = _sum((self, other))
        self.sources = _sources((self, other))
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
                  sort, rich, config=config, sources=self.sources)

    def to_file(self, filename: str | PathLike[str]) -> None:
        """Write a file (.lprof) that from_files() and line_profiler read.

        It also has the text of the functions, which line_profiler passes over. The file is replaced
        whole or stays as it was. Raises OSError when it cannot be written.
        """
        lprof.write(filename, self.timings, self.unit, self.known_sources())

    @classmethod
    def from_files(
        cls, file: str | PathLike[str], /, *files: str | PathLike[str]
    ) -> Self:
        """What is in the files (.lprof), of this package or of any version of line_profiler, added up.

        Nothing that a file names is imported or called. Raises OSError when one cannot be read, of
        these CorruptProfileError when it is damaged, or something else.
        """
        return cls.from_stats_objects(*map(_read, (file, *files)))

    @classmethod
    def from_stats_objects(cls, stats: StatsLike, /, *more_stats: StatsLike) -> Self:
        """The sum of all; a copy of a single one."""
        parts = (stats, *more_stats)
        return cls(*_sum(parts), sources=_sources(parts))

    def known_sources(self) -> dict[Key, list[str]]:
        """{key of timings: the function's lines} of those whose text can be found."""
        found = {key: self.sources.get(key) or block(*key) for key in self.timings}
        return {key: lines for key, lines in found.items() if lines}


def _read(path: str | PathLike[str]) -> LineStats:
    timings, unit, sources = lprof.read(path)
    return LineStats(timings, unit, sources=sources)


def _sources(parts: Iterable[StatsLike]) -> dict[Key, list[str]]:
    return {key: lines for stats in parts for key, lines in getattr(stats, "sources", {}).items()}


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
