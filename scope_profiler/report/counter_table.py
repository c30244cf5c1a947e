"""The table of counters: how many values each had, and which."""

from .._base.shown import shown
from .grid import print_grid
from .style import format_count, format_value

_HEADS = ["Counter", "Values", "First", "Last", "Min", "Mean", "Max"]


def show(counters, out):
    """Print them, {name: {rank: CounterValues}}; nothing where there are none."""
    headings, rows = grid(counters)
    if rows:
        out.line()
        print_grid(out, headings, rows)


def grid(counters):
    """The headings, and the texts of each row: (list of str, list of lists of str)."""
    rows = [[shown(name), *texts] for name, texts in _rows(counters)]
    if len({rank for of_ranks in counters.values() for rank in of_ranks}) > 1:
        return ["Counter", "Rank", *_HEADS[1:]], rows
    return _HEADS, [[row[0], *row[2:]] for row in rows]


def _rows(counters):
    for name, of_ranks in counters.items():
        for rank, known in of_ranks.items():
            values = known.values
            yield name, [str(rank), format_count(len(values)), *map(format_value, (
                values[0], values[-1], values.min(), values.mean(), values.max()))]
