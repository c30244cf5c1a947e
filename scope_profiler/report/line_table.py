"""The table of lines: on a terminal to be read, elsewhere in the layout that users of line_profiler
know and their tools parse."""

from inspect import getblock
import linecache
import os
from tokenize import TokenError

from .._base.shown import cut, shown
from .style import format_count, format_time

UNIT = 1e-9
_PLAIN = "{:>6} {:>9} {:>12} {:>8} {:>8}  {}"
_PLAIN_HEADINGS = ("Line #", "Hits", "Time", "Per Hit", "% Time", "Line Contents")
_HEADINGS = ("Line", "Hits", "Time", "Per hit", "% time", "")


def show(code, rows, out):
    """Print one function's lines. code: its code object; rows: [(line, hits, ns), ...]."""
    total = sum(ns for _, _, ns in rows)
    counted = {line: (hits, ns) for line, hits, ns in rows}
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
    texts = [
        (f"{line}", "", "", "", "", text) if counts is None
        else (f"{line}", *_cells(*counts, total), text)
        for line, counts, text in lines
    ]
    widths = [max(map(len, column)) for column in list(zip(_HEADINGS, *texts))[:-1]]
    room = max(out.width - sum(widths) - 2 * len(widths), 10)

    def joined(values):
        numbers = (f"{value:>{width}}" for value, width in zip(values, widths))
        return "  ".join((*numbers, cut(values[-1], room))).rstrip()

    out.head(joined(_HEADINGS))
    out.head("─" * (sum(widths) + 2 * (len(widths) - 1)))
    for values, (_, counts, _) in zip(texts, lines):
        out.line(joined(values), counts and (counts[1] / total if total else 0.0))


def _file(code):
    """Its file, from the working directory on where it is below that."""
    path, here = code.co_filename, os.path.join(os.getcwd(), "")
    return shown(path.removeprefix(here))


def _cells(hits, ns, total):
    share = f"{100 * ns / total:.1f}" if total else "0.0"
    return format_count(hits), format_time(ns), format_time(round(ns / hits)), share


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
    for line, counts, text in lines:
        values = (line, "", "", "", "", text)
        if counts is not None:
            hits, ns = counts
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
