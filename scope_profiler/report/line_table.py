"""The table of lines, in the layout that users of line_profiler know."""

from inspect import getblock
import linecache
from tokenize import TokenError

UNIT = 1e-9
_TEMPLATE = "{:>6} {:>9} {:>12} {:>8} {:>8}  {}"
_HEADER = _TEMPLATE.format("Line #", "Hits", "Time", "Per Hit", "% Time", "Line Contents")


def show(code, rows, out):
    """Print one function's lines. code: its code object; rows: [(line, hits, ns), ...]."""
    total = sum(ns for _, _, ns in rows)
    counted = {line: (hits, ns) for line, hits, ns in rows}
    source = _source(code, counted)
    out.line()
    out.line(f"Timer unit: {UNIT:g} s")
    out.line()
    out.line(f"Total time: {total * UNIT:g} s")
    out.line(f"File: {code.co_filename}")
    out.line(f"Function: {code.co_qualname} at line {code.co_firstlineno}")
    if not source:
        out.line("(its source is not to be found: lines are shown without their contents)")
    out.line()
    out.head(_HEADER)
    out.head("=" * len(_HEADER))
    for line in sorted({*source, *counted}):
        text = source.get(line, "")
        if line not in counted:
            out.line(_TEMPLATE.format(line, "", "", "", "", text).rstrip())
            continue
        hits, ns = counted[line]
        share = ns / total if total else 0.0
        cells = (line, hits, f"{ns:.1f}", _per_hit(ns / hits), f"{100 * share:.1f}", text)
        out.line(_TEMPLATE.format(*cells).rstrip(), share)


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
    return {line: lines[line - 1].rstrip("\n") for line in wanted if 0 < line <= len(lines)}
