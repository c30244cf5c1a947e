"""The table of regions: a tree by nesting, as wide as there is room."""

from typing import NamedTuple

from .._base.shown import cells, padded, shortened, shown
from .._model.recorded import OTHER_PATHS
from . import notes, table_columns as known
from .rows import in_order
from .style import format_count, format_time, many

# Nobody reads a table of more than LONG rows: one that is longer leaves out rows of less than
# LEAST_SHARE of the time, and has no more than MOST_ROWS.
LONG = 60
LEAST_SHARE = 0.001
MOST_ROWS = 200
MOST_NAME = 60
LEAST_NAME = 24


class Totals(NamedTuple):
    """What a table is of, its rows and those that are left out."""

    rows: int
    regions: int
    calls: int
    has_other_paths: bool

    @classmethod
    def of(cls, rows):
        names = {row.name for row in rows}
        return cls(len(rows), len(names), sum(row.statistics.num_calls for row in rows), OTHER_PATHS in names)


def print_table(out, name, run_ns, rows, wall_ns, how, processes=1, *, columns=None,
                percentage_mode="coverage", whole=False, with_notes=True, remarks=(), first=None,
                how_columns=None, what="region", totals=None):
    """Print what heads the table of regions, the table, and what there is to know about it.

    rows: in order, depth first. run_ns: what the head says; wall_ns: what percentages are of, the
    time of all `processes` together. how: to see all rows. with_notes: with what is not about rows
    that are left out. remarks: further sentences. first: the rows to print, where they were chosen.
    how_columns: to see the columns for which there is no room; None not to speak of these. what: a row
    stands for. totals: where the rows are those worth showing, what all of them come to.
    """
    first = rows if totals else first
    totals = totals or Totals.of(rows)
    out.line()
    out.title(f"scope-profiler: {shown(name)} – {format_time(run_ns)}, "
              f"{many(totals.regions, what)}, {many(totals.calls, 'call')}")
    out.line()
    if rows:
        printed, of = show(first or rows, wall_ns, out, columns, percentage_mode, whole or first)
        which = {"which": ""} if first and first is not rows else {}
        for remark in notes.below(totals, printed, of if with_notes else (), wall_ns, processes, how,
                                  **which):
            out.note(remark)
        left_out = [column for column in known.chosen(printed) if column not in of]
        if how_columns and columns is None and left_out:
            out.note(f"No room for {', '.join(map(known.heading, left_out))}: {how_columns}")
    else:
        out.line("No region was entered.")
    remarks = list(remarks) if with_notes else []
    if rows and remarks:
        out.line()
    for remark in remarks if rows else ():
        out.note(remark)


def show(rows, wall_ns, out, columns=None, percentage_mode="coverage", whole=False):
    """Print the rows, which are in order, depth first; at least one.

    columns: which, all of them, or None for those that fit. whole: leave no row out.
    Returns the rows that were printed, and the columns.
    """
    chosen = rows if whole else _worth_showing(rows, wall_ns)
    wanted = known.chosen(chosen) if columns is None else known.expanded(columns, chosen)
    texts = {
        column: [known.cell(row, column, wall_ns, percentage_mode) for row in chosen]
        for column in wanted if column != "region"
    }
    widths = {
        column: max(map(cells, [known.heading(column), *of_rows]))
        for column, of_rows in texts.items()
    }
    labels = list(map(_Label, _branches(chosen), chosen))
    width = max(len("Region"), *(label.width for label in labels))
    width = min(width, MOST_NAME) if columns is None or out.width else width
    if out.width:
        if columns is None:
            widths = _fitting(widths, out.width - min(width, LEAST_NAME))
        room = out.width - sum(widths.values()) - 2 * len(widths)
        width = min(width, max(room, len("Region")))
    order = [column for column in wanted if column in widths or column == "region"]

    def line(label, values):
        return "  ".join(
            padded(label, width) if column == "region"
            else padded(values[column], widths[column], right=True)
            for column in order
        ).rstrip()

    out.head(line("Region", {column: known.heading(column) for column in order}))
    shown_widths = [width if column == "region" else widths[column] for column in order]
    out.head("─" * (sum(shown_widths) + 2 * (len(order) - 1)))
    for at, (label, row) in enumerate(zip(labels, chosen)):
        values = {column: of_rows[at] for column, of_rows in texts.items()}
        share = row.own_ns / wall_ns if wall_ns > 0 and row.own_ns is not None else 0
        out.line(line(label.fitting(width), values), share)
    return chosen, order


def _fitting(widths, room):
    """The columns that there is room for, those first that matter most."""
    fitting = {}
    for column in sorted(widths, key=known.priority):
        room -= widths[column] + 2
        if room < 0 and fitting:
            break
        fitting[column] = widths[column]
    return fitting


def _worth_showing(rows, wall_ns):
    """The rows to print: all of a short table."""
    if len(rows) <= LONG:
        return rows
    number = sum(row.total_ns >= LEAST_SHARE * wall_ns for row in rows)
    return first_rows(rows, so_many(number), known.SORT_KEYS["total"])


def so_many(worth_it):
    """How many rows a long table shows of which so many have the least share of the time."""
    return min(max(worth_it, LONG), MOST_ROWS)


def first_rows(rows, number, key, reverse=True):
    """So many of the rows that are first by key(row), and what they are below, in the order of all."""
    worth = set()
    for row in in_order(rows, key, reverse, nested=False)[:number]:
        while row is not None and row not in worth:
            worth.add(row)
            row = row.parent
    return [row for row in rows if row in worth]


class _Label:
    """A row's name, behind the lines that lead to it, and with the calls that are open."""

    def __init__(self, branch, row):
        self._branch = branch
        self._name = shown(row.name)
        count = row.statistics.open_calls
        self._mark = "" if not count else " (open)" if count == 1 else f" ({format_count(count)} open)"
        self._depth = row.depth

    @property
    def width(self):
        return len(self._branch) + cells(self._name) + len(self._mark)

    def fitting(self, width):
        """The text in so many cells at most; of a row deep down, its depth for the lines."""
        branch = self._branch
        if self.width > width and len(branch) > width // 2:
            branch = f"{self._depth}: "
        room = width - len(branch) - len(self._mark)
        return f"{branch}{shortened(self._name, max(room, 3))}{self._mark}"


def _branches(rows):
    """The lines that lead to each row of the tree, drawn from the last row up."""
    drawn = []
    continues = set()  # depths at which a sibling follows below
    for row in reversed(rows):
        depth = row.depth
        parts = ["│  " if above in continues else "   " for above in range(1, depth)]
        if depth:
            parts.append("├─ " if depth in continues else "└─ ")
        drawn.append("".join(parts))
        continues = {above for above in continues if above < depth}
        continues.add(depth)
    return reversed(drawn)
