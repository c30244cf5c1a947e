"""The columns of a table of lines: what each is called, what it shows and when it is there."""

from .style import format_count, format_time


def _known(name):
    return lambda row: getattr(row, name)


#: In the order of the table, {column: (its heading, ns of a CountedLine, or None where it was not
#: measured)}.
TIMES = {
    "time": ("Time", _known("time_ns")),
    "per_hit": ("Per hit", lambda row: round(row.time_ns / row.hits) if row.hits else None),
    "share": ("% time", _known("time_ns")),
    "waiting": ("Waiting", _known("waiting_ns")),
}

#: {column: (its heading, a number)}
COUNTS = {"hits": ("Hits", _known("hits"))}

ORDER = ("hits", "time", "per_hit", "share", "waiting")

#: What has to go first where there is not room for all comes last.
PRIORITY = ("hits", "time", "share", "per_hit", "waiting")

HEADINGS = {column: heading for column, (heading, _) in (*COUNTS.items(), *TIMES.items())}

#: There in any case; the others where a line has something to tell.
ALWAYS = {"hits", "time", "per_hit", "share"}


def chosen(rows):
    """The columns in which the rows have something to tell, in order."""
    return [
        column for column in ORDER
        if column in ALWAYS or any({**COUNTS, **TIMES}[column][1](row) for row in rows)
    ]


def cell(column, row, total):
    """The text of a column for a CountedLine. total: ns of all lines."""
    if column in COUNTS:
        value = COUNTS[column][1](row)
        return "" if value is None else format_count(value)
    value = TIMES[column][1](row)
    if value is None:
        return ""
    if column == "share":
        return f"{100 * value / total:.1f}" if total else "0.0"
    return format_time(value)
