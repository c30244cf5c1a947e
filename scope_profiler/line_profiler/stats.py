"""`LineStats`: what was counted and timed, line by line."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, Protocol, Self, TypeAlias

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

    Two are equal when timings and unit are. Where several are added, times are in the coarsest of
    their units, rounded to integers.
    """

    timings: dict[Key, list[Row]]
    unit: float

    def __init__(self, timings: dict[Key, list[Row]], unit: float) -> None:
        self.timings = timings
        self.unit = unit

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
                  sort, rich, config=config)

    def to_file(self, filename: str | PathLike[str]) -> None:
        """Write a file (.lprof) that from_files() and line_profiler read.

        The file is replaced whole or stays as it was. Raises OSError when it cannot be written.
        """
        lprof.write(filename, self.timings, self.unit)

    @classmethod
    def from_files(
        cls, file: str | PathLike[str], /, *files: str | PathLike[str]
    ) -> Self:
        """What is in the files (.lprof), of this package or of any version of line_profiler, added up.

        Nothing that a file names is imported or called. Raises OSError when one cannot be read, of
        these CorruptProfileError when it is damaged, or something else.
        """
        read = (LineStats(*lprof.read(path)) for path in (file, *files))
        return cls.from_stats_objects(*read)

    @classmethod
    def from_stats_objects(cls, stats: StatsLike, /, *more_stats: StatsLike) -> Self:
        """The sum of all; a copy of a single one."""
        return cls(*_sum((stats, *more_stats)))


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
