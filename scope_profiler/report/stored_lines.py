"""What `scope-profiler line-profile` shows: the tables of lines of a file, with the source that it has."""

import re

from .._base.arguments import name_filter
from .._base.shown import shown
from .._model.counted_lines import once, sources
from ..results.line_entries import all_lines
from . import line_columns, line_table
from .grid import print_grid
from .output import Output
from .style import format_count, format_time, many

SORT = ("time", "hits", "name", "file")


def show(results, stream, *, include=None, exclude=None, ranks=None, function=None, region=None,
         sort="time", skip_zero=False, top=None):
    """Print the tables. include, exclude, region, function: regular expressions, of regions and
    functions. top: the lines that took most, of all functions. Raises ValueError where there is none."""
    wanted, has_name = name_filter(include, exclude), _search("--function", function)
    in_region = _search("--region", region)
    every = all_lines(results.line_profile, ranks)
    tables = [each for each in every if wanted(each.region) and in_region(each.region)]
    texts = sources(tables)
    functions = [(code, rows) for code, rows in once(tables) if has_name(code.co_qualname)
                 and not (skip_zero and not any(row.hits for row in rows))]
    if not functions:
        raise ValueError(_nothing(every, results))
    functions.sort(key=_KEYS[sort])
    out = Output(stream)
    if top is not None:
        _show_top(functions, texts, top, out)
    else:
        for code, rows in functions:
            if skip_zero:
                rows = [row for row in rows if row.hits]
            line_table.show(code, rows, out, texts.get(code), only_counted=skip_zero)
    out.deliver()


_KEYS = {
    "time": lambda each: -line_columns.total_ns(each[1]),
    "hits": lambda each: -sum(row.hits for row in each[1]),
    "name": lambda each: each[0].co_qualname,
    "file": lambda each: (each[0].co_filename, each[0].co_firstlineno),
}


def _search(name, pattern):
    try:
        return re.compile(pattern or "").search
    except re.error as error:
        raise ValueError(f"{name} takes a regular expression, got {pattern!r}: {error}") from None


def _nothing(every, results):
    if every:
        names = sorted({each.code.co_qualname for each in every})
        more = f" and {len(names) - 10} more" if len(names) > 10 else ""
        return f"no function is chosen; there are {', '.join(names[:10])}{more}"
    if results.line_profile:
        return f"no lines on these ranks; there are {', '.join(map(str, results.line_profile))}"
    return "no lines are in it: record with `scope-profiler run --line-profile`"


def _show_top(functions, texts, top, out):
    """The lines that took most, of all functions."""
    total = sum(line_columns.total_ns(rows) for _, rows in functions)
    lines = sorted(((line_columns.best_ns(row), code, row) for code, rows in functions for row in rows),
                   key=lambda each: -each[0])
    out.line()
    out.title(f"The {min(top, len(lines))} of {many(len(lines), 'line')} that took most, of "
              f"{format_time(total)} in all lines; a line has also what it calls")
    out.line()
    rows = [(f"{line_table.file_of(code)}:{row.line}", shown(code.co_qualname), format_count(row.hits),
             "< overhead" if ns < 0 else format_time(ns), f"{100 * max(ns, 0) / total:.1f}" if total else "–",
             _text(texts.get(code), code, row.line))
            for ns, code, row in lines[:top]]
    print_grid(out, ("Line", "Function", "Hits", "Time", "% all", "Contents"), rows, left=(0, 1, 5),
               shares=[max(ns, 0) / total if total else 0 for ns, _, _ in lines[:top]])


def _text(source, code, line):
    lines = (source or "").split("\n")
    place = line - max(code.co_firstlineno, 1)
    return shown(lines[place].strip()) if 0 <= place < len(lines) else ""
