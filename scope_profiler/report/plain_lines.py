"""The table of lines as line_profiler lays it out, which its users' eyes and tools know."""

#: Columns are at least so wide.
WIDTHS = {"line": 6, "hits": 9, "time": 12, "perhit": 8, "percent": 8}

_HEADINGS = ("Line #", "Hits", "Time", "Per Hit", "% Time")
_CONTENTS = "Line Contents"


class PlainLines:
    """The layout of one function's table, as wide as its numbers need.

    rows: [(line, hits, time), ...]. scale: what times are multiplied with to be shown. widths: of
    the columns at least, as WIDTHS.
    """

    def __init__(self, rows, scale=1, widths=WIDTHS):
        rows = list(rows)
        total = sum(time for _, _, time in rows)
        self._cells = {
            line: cells(hits, time, total, scale, widths) for line, hits, time in rows
        }
        shown = [*zip(*self._cells.values())] or [()] * 4
        self._widths = [widths["line"], *(
            max((widths[name], *map(len, cells)))
            for name, cells in zip(("hits", "time", "perhit"), shown)
        ), widths["percent"]]

    def header(self):
        """The line of the headings; it is underlined with as many `=`."""
        return f"{self._joined(_HEADINGS)}  {_CONTENTS}"

    def numbers(self, line):
        """The numbers of a line, blank where it did not run. What is on the line comes two blanks
        behind."""
        return self._joined((line, *self._cells.get(line, ("",) * 4)))

    def _joined(self, values):
        return " ".join(f"{value:>{width}}" for value, width in zip(values, self._widths))


def cells(hits, time, total, scale, widths):
    """Hits, time, time per hit and percentage of the total as text; see PlainLines."""
    return (
        _fitting("%d", "%g", hits, widths["hits"]),
        _fitting("%5.1f", "%5.3g", time * scale, widths["time"]),
        _fitting("%5.1f", "%5.3g", float(time) * scale / hits, widths["perhit"]) if hits else "",
        "%5.1f" % (100 * time / total) if total else "",
    )


def _fitting(exact, short, value, width):
    text = exact % value
    return text if len(text) <= width else short % value
