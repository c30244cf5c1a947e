"""The table of regions: a tree by nesting."""

from .style import format_count, format_time

# A longer table is not read but searched, for which there is the file: then rows that stand for
# next to nothing are left out, and the rest is cut.
LONG = 60
LEAST_SHARE = 0.001
MOST_ROWS = 200
MOST_NAME = 60


def show(summary, out):
    """Print the heading and the tree of regions."""
    calls = summary.counters["calls"]
    regions = len({row.statistics.name for row in summary.tree})
    title = summary.label or summary.file_path or "in memory"
    out.line()
    out.head(
        f"scope-profiler: {title} – {format_time(summary.wall_ns)}, "
        f"{many(regions, 'region')}, {many(calls, 'call')}"
    )
    out.line()
    if not summary.tree:
        out.line("No region was entered.")
        return
    rows = _worth_showing(summary.tree, summary.wall_ns)
    errors = any(row.statistics.errors for row in rows)
    columns = ["Calls", "% run", "Total", "Own", "Net", "Average", "p50", "p99", "Max"]
    cells = [_cells(row.statistics, summary.wall_ns) for row in rows]
    if errors:
        columns.append("Errors")
        for cell, row in zip(cells, rows):
            cell.append(format_count(row.statistics.errors) if row.statistics.errors else "")
    names = [clip(branch + row.statistics.name) for branch, row in zip(branches(rows), rows)]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]
    name_width = max(len("Region"), *map(len, names))

    def line(name, values):
        return f"{name:<{name_width}}  " + "  ".join(
            f"{value:>{width}}" for value, width in zip(values, widths)
        )

    out.head(line("Region", columns))
    out.head("─" * (name_width + sum(widths) + 2 * len(widths)))
    for name, values, row in zip(names, cells, rows):
        share = row.statistics.exclusive_ns / summary.wall_ns if summary.wall_ns > 0 else 0
        out.line(line(name, values), share)
    if len(rows) < len(summary.tree):
        out.line(f"… and {many(len(summary.tree) - len(rows), 'row')} not shown")


def _worth_showing(tree, wall_ns):
    """The rows to print: all of a short table; a parent is always there with its child."""
    if len(tree) <= LONG:
        return tree
    least = LEAST_SHARE * wall_ns
    return [row for row in tree if row.statistics.total_ns >= least][:MOST_ROWS]


def many(count, what):
    return f"{format_count(count)} {what}{'' if count == 1 else 's'}"


def _cells(s, wall_ns):
    percent = 100 * s.total_ns / wall_ns if wall_ns > 0 else 0.0
    times = (s.total_ns, s.exclusive_ns, s.corrected_exclusive_ns, s.average_ns, s.p50_ns,
             s.p99_ns, s.maximum_ns)
    return [format_count(s.num_calls), f"{percent:.1f}", *map(format_time, times)]


def clip(name):
    name = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    return name if len(name) <= MOST_NAME else name[: MOST_NAME - 1] + "…"


def branches(rows):
    """The lines that lead to each row of the tree, drawn from the last row up."""
    drawn = []
    continues = set()  # depths at which a sibling follows below
    for row in reversed(rows):
        parts = ["│  " if depth in continues else "   " for depth in range(1, row.depth)]
        if row.depth:
            parts.append("├─ " if row.depth in continues else "└─ ")
        drawn.append("".join(parts))
        continues = {depth for depth in continues if depth < row.depth}
        continues.add(row.depth)
    return reversed(drawn)


def show_block(s, out):
    """Print the statistics of one region, a line each."""
    values = [
        ("Region", s.name),
        ("Total Calls", format_count(s.num_calls)),
        ("Total Time", format_time(s.total_ns)),
        ("Own Time", format_time(s.exclusive_ns)),
        ("Net of Overhead", f"{format_time(s.corrected_total_ns)} in total, "
                            f"{format_time(s.corrected_exclusive_ns)} own"),
        ("Average Time", format_time(s.average_ns)),
        ("Min Time", format_time(s.minimum_ns)),
        ("Max Time", format_time(s.maximum_ns)),
        ("Std Deviation", format_time(s.std_ns)),
        ("p50 / p95 / p99", " / ".join(map(format_time, (s.p50_ns, s.p95_ns, s.p99_ns)))),
    ]
    if s.waiting_ns:
        values.append(("Running / Waiting",
                       f"{format_time(s.running_ns)} / {format_time(s.waiting_ns)}"))
    if s.errors:
        values.append(("Errors", format_count(s.errors)))
    if s.open_calls:
        values.append(("Open Calls", format_count(s.open_calls)))
    for name, value in values:
        out.line(f"{name}: {value}")
    out.line()
