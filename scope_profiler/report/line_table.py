"""The table of lines: on a terminal to be read, elsewhere in the layout that users of line_profiler
know and their tools parse."""

from inspect import getblock
import linecache
import os
from tokenize import TokenError

from .._base.shown import cut, shown
from .._model.counted_lines import CountedLine
from . import line_columns
from .style import format_time

UNIT = 1e-9
_PLAIN = "{:>6} {:>9} {:>12} {:>8} {:>8}  {}"
_PLAIN_HEADINGS = ("Line #", "Hits", "Time", "Per Hit", "% Time", "Line Contents")
_LEAST_SOURCE = 24  # cells that columns leave to the text of a line


def show(code, rows, out):
    """Print one function's lines. code: its code object or CountedCode; rows: of CountedLine."""
    rows = [CountedLine(*row) for row in rows]
    total = sum(row.time_ns for row in rows)
    counted = {row.line: row for row in rows}
    source = _source(code, counted)
    lines = [(line, counted.get(line), source.get(line, "")) for line in sorted({*source, *counted})]
    missing = [] if source else [
        "(its source is not to be found: lines are shown without their contents)"
    ]
    (_show if out.is_terminal else _show_plain)(code, total, lines, missing, out)


def _show(code, total, lines, missing, out):
    out.line()
    out.head(f"{shown(code.co_qualname)} – {format_time(total)}")
    for text in (f"{_file(code)}, line {code.co_firstlineno}", *missing):
        out.line(text)
    out.line()
    table = _table(lines, total, out.width)
    widths = [max(map(len, column)) for column in list(zip(*table))[:-1]]
    room = max(out.width - sum(widths) - 2 * len(widths), 10)

    def joined(values):
        numbers = (f"{value:>{width}}" for value, width in zip(values, widths))
        return "  ".join((*numbers, cut(values[-1], room))).rstrip()

    out.head(joined(table[0]))
    out.head("─" * (sum(widths) + 2 * (len(widths) - 1)))
    for values, (_, row, _) in zip(table[1:], lines):
        out.line(joined(values), row and (row.time_ns / total if total else 0.0))


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


def _file(code):
    """Its file, from the working directory on where it is below that."""
    path, here = code.co_filename, os.path.join(os.getcwd(), "")
    return shown(path.removeprefix(here))


def _show_plain(code, total, lines, missing, out):
    for text in (
        "", f"Timer unit: {UNIT:g} s", "", f"Total time: {total * UNIT:g} s",
        f"File: {shown(code.co_filename)}",
        f"Function: {shown(code.co_qualname)} at line {code.co_firstlineno}", *missing, "",
    ):
        out.line(text)
    header = _PLAIN.format(*_PLAIN_HEADINGS)
    out.head(header)
    out.head("=" * len(header))
    for line, row, text in lines:
        values = (line, "", "", "", "", text)
        if row is not None:
            hits, ns = row.hits, row.time_ns
            share = 100 * ns / total if total else 0.0
            values = (line, hits, f"{ns:.1f}", _per_hit(ns / hits), f"{share:.1f}", text)
        out.line(_PLAIN.format(*values).rstrip())


def _per_hit(ns):
    text = f"{ns:.1f}"
    return text if len(text) <= 8 else f"{ns:.3g}"


def _source(code, counted):
    """{line: its text} of the function; of a module, of the part that was counted. Empty when
    there is no source."""
    lines = linecache.getlines(code.co_filename)
    if code.co_name == "<module>":
        first, last = min(counted, default=1), max(counted, default=1)
        wanted = range(first, min(last, len(lines)) + 1)
    else:
        block = lines[max(code.co_firstlineno, 1) - 1 :]
        try:
            block = getblock(block)
        except (TokenError, SyntaxError, IndentationError, IndexError):
            pass
        wanted = range(code.co_firstlineno, code.co_firstlineno + len(block))
    return {
        line: shown(lines[line - 1].rstrip().expandtabs()) for line in wanted
        if 0 < line <= len(lines)
    }
