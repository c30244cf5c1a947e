"""The table of lines: on a terminal or with memory to be read, else in the layout that users of
line_profiler know and their tools parse."""

import os

from .._base import source_lines
from .._base.shown import cut, shown
from .._model.counted_lines import CountedLine
from . import line_columns
from .plain_lines import PlainLines
from .style import format_time

UNIT = 1e-9
_UNLIMITED = 1_000_000  # cells
_LEAST_SOURCE = 24  # cells that columns leave to the text of a line


def show(code, rows, out, text=None, only_counted=False):
    """Print one function's lines. code: its code object or CountedCode; rows: of CountedLine. text: its
    source, None to look for it. only_counted: leave out lines that did not run."""
    rows = [CountedLine(*row) for row in rows]
    counted = {row.line: row for row in rows}
    source = source_of(code, counted, text)
    shown_lines = counted if only_counted else {*source, *counted}
    lines = [(line, counted.get(line), source.get(line, "")) for line in sorted(shown_lines)]
    missing = [] if source else [
        "(its source is not to be found: lines are shown without their contents)"
    ]
    # line_profiler's layout has no place for memory.
    if out.is_terminal or any(row.allocated_bytes is not None for row in rows):
        _show(code, line_columns.total_ns(rows), lines, missing, out)
    else:
        table = PlainLines((row.line, row.hits, row.time_ns) for row in rows)
        _show_plain(code, sum(row.time_ns for row in rows), table, lines, missing, out)


def _show(code, total, lines, missing, out):
    out.line()
    out.head(f"{shown(code.co_qualname)} – {format_time(total)}")
    for text in (f"{file_of(code)}, line {code.co_firstlineno}", *missing):
        out.line(text)
    out.line()
    width = out.width or _UNLIMITED
    table = _table(lines, total, width)
    widths = [max(map(len, column)) for column in list(zip(*table))[:-1]]
    room = max(width - sum(widths) - 2 * len(widths), 10)

    def joined(values):
        numbers = (f"{value:>{width}}" for value, width in zip(values, widths))
        return "  ".join((*numbers, cut(values[-1], room))).rstrip()

    out.head(joined(table[0]))
    out.head("─" * (sum(widths) + 2 * (len(widths) - 1)))
    for values, (_, row, _) in zip(table[1:], lines):
        out.line(joined(values), row and line_columns.share(row, total))


def _table(lines, total, width):
    """Rows of texts, the headings first: the number of the line, as many columns as there is room
    for, the text of the line."""
    rows = [row for _, row, _ in lines if row is not None]
    wanted = line_columns.chosen(rows)
    cells = {
        column: [line_columns.HEADINGS[column],
                 *("" if row is None else line_columns.cell(column, row, total)
                   for _, row, _ in lines)]
        for column in wanted
    }
    numbers = ["Line", *(str(line) for line, _, _ in lines)]
    left = width - max(map(len, numbers)) - _LEAST_SOURCE
    for column in sorted(wanted, key=line_columns.PRIORITY.index):
        left -= max(map(len, cells[column])) + 2
        if left < 0 and column not in line_columns.ALWAYS:
            del cells[column]
    return list(zip(numbers, *cells.values(), ["", *(text for _, _, text in lines)]))


def file_of(code):
    """Its file, from the working directory on where it is below that."""
    path, here = code.co_filename, os.path.join(os.getcwd(), "")
    return shown(path.removeprefix(here))


def _show_plain(code, total, table, lines, missing, out):
    for text in (
        "", f"Timer unit: {UNIT:g} s", "", f"Total time: {total * UNIT:g} s",
        f"File: {shown(code.co_filename)}",
        f"Function: {shown(code.co_qualname)} at line {code.co_firstlineno}", *missing, "",
    ):
        out.line(text)
    header = table.header()
    out.head(header)
    out.head("=" * len(header))
    for line, _, text in lines:
        out.line(f"{table.numbers(line)}  {text}".rstrip())


def source_of(code, counted, text):
    """{line: its text} of the function; of a module, of the part that was counted. Empty when
    there is no source."""
    first = max(code.co_firstlineno, 1)
    if text is None:
        lines = source_lines.block(code.co_filename, code.co_firstlineno, code.co_qualname) or ()
    else:
        lines = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")
    texts = {line: shown(text.rstrip().expandtabs()) for line, text in enumerate(lines, first)}
    if code.co_qualname != "<module>":
        return texts
    wanted = range(min(counted, default=1), max(counted, default=1) + 1)
    return {line: text for line, text in texts.items() if line in wanted}
