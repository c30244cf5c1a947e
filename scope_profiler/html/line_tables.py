"""The tables of lines: source and numbers as `scope-profiler line-profile` prints them, with their heat."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from .._base.shown import shown
from .._model.counted_lines import CountedLine, once, sources
from ..report import line_columns, line_table
from ..report.style import format_time, many
from ..results import ProfilingResults
from ..results.line_entries import all_lines
from .source_text import Piece, highlighted

#: Functions that are shown.
_MOST = 100


class SourceLine(NamedTuple):
    """A line: its number, its cells (empty where it did not run), its pieces, its share (0 to 1)."""

    number: int
    cells: list[str]
    pieces: list[Piece]
    share: float


class FunctionLines(NamedTuple):
    """The lines of a function. has_source: whether there is any. before: how many of the columns stand left
    of the source."""

    name: str
    place: str
    total: str
    headings: list[str]
    lines: list[SourceLine]
    has_source: bool
    before: int


def line_tables(
    results: ProfilingResults, names: Collection[str] | None, ranks: set[int] | None
) -> tuple[list[FunctionLines], str]:
    """The tables, those first that took most, and what to say of those that are left out.

    names: Of regions; None for all.
    """
    tables = [each for each in all_lines(results.line_profile, ranks)
              if names is None or each.region in names]
    texts = sources(tables)
    functions = sorted(once(tables), key=lambda each: -line_columns.total_ns(each[1]))
    found = []
    for code, rows in functions[:_MOST]:
        counted = {row.line: CountedLine(*row) for row in rows}
        source = line_table.source_of(code, counted, texts.get(code))
        total = line_columns.total_ns(rows)
        chosen = line_columns.chosen(rows)
        columns = sorted(chosen, key=lambda column: column not in line_columns.ALWAYS)
        numbers = sorted({*source, *counted})
        pieces = highlighted([source.get(number, "") for number in numbers])
        found.append(FunctionLines(
            shown(code.co_qualname), f"{line_table.file_of(code)}:{code.co_firstlineno}", format_time(total),
            [line_columns.HEADINGS[column] for column in columns],
            [_line(number, counted.get(number), columns, of_line, total)
             for number, of_line in zip(numbers, pieces)],
            bool(source), sum(column in line_columns.ALWAYS for column in columns),
        ))
    left = len(functions) - len(found)
    return found, f"{many(left, 'function')} of those that took least are not shown" if left else ""


def _line(number: int, row: CountedLine | None, columns: list[str], pieces: list[Piece],
          total: int) -> SourceLine:
    if row is None:
        return SourceLine(number, [""] * len(columns), pieces, 0.0)
    cells = [line_columns.cell(column, row, total) for column in columns]
    return SourceLine(number, cells, pieces, round(line_columns.share(row, total), 4))
