"""The table of regions, made of results: the tree by nesting where the calls are known."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from ..results import EventDataUnavailableError, MPIRegion, NestingError
from ..results.call_tree import TreeNode, call_tree
from ..results.checks import rank_set, text
from ..settings import boolean
from .region_table import LEAST_SHARE, LONG, MOST_ROWS, branches, clip, many
from .style import format_count, format_time, printer

#: What there is to choose from: {column: its heading}.
COLUMNS = {
    "region": "Region",
    "ranks": "Ranks",
    "calls": "Calls",
    "total": "Total",
    "percent": "% run",
    "parent_percent": "% parent",
    "own": "Own",
    "avg": "Average",
    "gpu_total": "GPU total",
    "gpu_avg": "GPU average",
    "min": "Min",
    "max": "Max",
    "first": "First",
    "last": "Last",
    "std": "Std",
    "p50": "p50",
    "p90": "p90",
    "p95": "p95",
    "p99": "p99",
    "p999": "p99.9",
    "imbalance": "% imbalance",
}
DEFAULT_COLUMNS = ("region", "calls", "percent", "total", "own", "avg", "p50", "p99", "max")

#: The attribute of a region, in seconds, that a column shows.
_TIMES = {
    "total": "inclusive_duration",
    "own": "exclusive_duration",
    "avg": "average_duration",
    "gpu_total": "gpu_total_duration",
    "gpu_avg": "gpu_average_duration",
    "min": "min_duration",
    "max": "max_duration",
    "first": "first_duration",
    "last": "last_duration",
    "std": "std_duration",
    "p50": "p50_duration",
    "p90": "p90_duration",
    "p95": "p95_duration",
    "p99": "p99_duration",
    "p999": "p999_duration",
}

#: What rows can be sorted by: {key: the attribute}; the largest first but for the first two.
SORT_KEYS = {
    "start": "first_start_time_ns",
    "name": "name",
    "calls": "num_calls",
    **{column: name for column, name in _TIMES.items() if not column.startswith("gpu")},
    "imbalance": "rank_imbalance_pct",
}
PERCENTAGE_MODES = ("coverage", "exclusive")


@dataclass(frozen=True, slots=True)
class _Row:
    depth: int
    node: TreeNode

    @property
    def region(self):
        return self.node.region


def show(results, include=None, exclude=None, ranks=None, *, sort="start", title=None,
         stream=None, suppress_notes=False, columns=None, percentage_mode="coverage"):
    """Print the table of a ProfilingResults, whose print_summary() says what it takes."""
    columns = _chosen_columns(columns)
    suppress_notes = boolean("suppress_notes", suppress_notes)
    text("title", title)
    _check_choice("sort", sort, SORT_KEYS)
    _check_choice("percentage_mode", percentage_mode, PERCENTAGE_MODES)
    out = printer(sys.stdout if stream is None else stream)
    chosen = _on_ranks(results.get_regions(include, exclude), rank_set(ranks))
    wall = _wall(results, chosen)
    roots, notes = _roots(results, chosen)
    rows = list(_sorted(roots, sort))

    calls = sum(region.num_calls for region in chosen)
    out.line()
    out.head(
        f"scope-profiler: {results.default_title() if title is None else title} – "
        f"{format_time(_ns(_run_time(results)))}, "
        f"{many(len(chosen), 'region')}, {many(calls, 'call')}"
    )
    out.line()
    if not rows:
        out.line("No region was entered.")
        return
    _print_rows(rows, columns, percentage_mode, wall, out)
    if notes and not suppress_notes:
        out.line()
        for note in notes:
            out.line(note)


def _chosen_columns(columns):
    if columns is None:
        return DEFAULT_COLUMNS
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        columns = (columns,)
    columns = tuple(columns)
    if not columns:
        raise ValueError(f"columns takes at least one of {', '.join(COLUMNS)}; got none")
    for column in columns:
        if not isinstance(column, str) or column != "name":
            _check_choice("columns", column, COLUMNS)
    return tuple("region" if column == "name" else column for column in columns)


def _check_choice(name, value, choices):
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} takes {', '.join(choices)}; got {value!r}")


def _on_ranks(regions, ranks):
    """The regions as they are on `ranks` (None: all), without those that none of these called."""
    if ranks is not None:
        regions = [
            MPIRegion(region.name, {rank: region[rank] for rank in region if rank in ranks})
            for region in regions
        ]
    return [region for region in regions if region.num_calls]


def _run_time(results):
    """Seconds from setup to finalize, or else from the first start to the last end."""
    total = results.total_time
    return results.time_span if total is None else total


def _wall(results, regions):
    """The seconds that all ranks had together."""
    return _run_time(results) * len({rank for region in regions for rank in region})


def _roots(results, regions):
    """The tree, which is flat where the nesting is not known; and what to know of it."""
    notes = []
    missing = sum(region.num_calls - region.num_events for region in regions)
    if results.has_event_data:
        try:
            roots = call_tree(regions, {rank for region in regions for rank in region})
        except (EventDataUnavailableError, NestingError) as error:
            notes.append(f"It is not known which calls are inside which: {error}.")
        else:
            if missing:
                notes.append(f"{many(missing, 'call')} without start and end are left out.")
            return roots, notes
    else:
        notes.append("Only aggregates were kept: it is not known which calls are inside which.")
    return [TreeNode(region, None) for region in regions], notes


def _sorted(roots, sort):
    """The rows of the tree, depth first."""
    pending = [(0, node) for node in reversed(_in_order(roots, sort))]
    while pending:
        depth, node = pending.pop()
        yield _Row(depth, node)
        below = _in_order(node.children, sort)
        pending.extend((depth + 1, child) for child in reversed(below))


def _in_order(nodes, sort):
    def value(node):
        return getattr(node.region, SORT_KEYS[sort])

    known = [node for node in nodes if value(node) is not None]
    unknown = [node for node in nodes if value(node) is None]
    return sorted(known, key=value, reverse=sort not in ("start", "name")) + unknown


def _print_rows(rows, columns, percentage_mode, wall, out):
    shown = _worth_showing(rows, wall)
    cells = {column: [COLUMNS[column]] for column in columns}
    for branch, row in zip(branches(shown), shown):
        for column in cells:
            if column == "region":
                cells[column].append(clip(branch + row.region.name))
            else:
                cells[column].append(_cell(row, column, percentage_mode, wall))
    widths = {column: max(map(len, texts)) for column, texts in cells.items()}
    lines = [
        "  ".join(
            f"{text:<{widths[column]}}" if column == "region" else f"{text:>{widths[column]}}"
            for column, text in zip(cells, texts)
        ).rstrip()
        for texts in zip(*cells.values())
    ]
    out.head(lines[0])
    out.head("─" * (sum(widths.values()) + 2 * (len(widths) - 1)))
    for text, row in zip(lines[1:], shown):
        own = row.region.exclusive_duration
        out.line(text, own / wall if wall > 0 and own is not None else 0)
    if len(shown) < len(rows):
        out.line(f"… and {many(len(rows) - len(shown), 'row')} not shown")


def _worth_showing(rows, wall):
    """The rows to print: all of a short table; a parent is always there with its child."""
    if len(rows) <= LONG:
        return rows
    least = LEAST_SHARE * wall
    return [row for row in rows if row.region.inclusive_duration >= least][:MOST_ROWS]


def _cell(row, column, percentage_mode, wall):
    region = row.region
    if column in ("ranks", "calls"):
        return format_count(len(region) if column == "ranks" else region.num_calls)
    if column in _TIMES:
        value = getattr(region, _TIMES[column])
        return "-" if value is None else format_time(_ns(value))
    if column == "imbalance":
        return f"{region.rank_imbalance_pct:.1f}"
    if column == "parent_percent":
        parent = row.node.parent
        whole = None if parent is None else parent.region.inclusive_duration
        return _percent(region.inclusive_duration, whole)
    coverage = percentage_mode == "coverage"
    return _percent(region.inclusive_duration if coverage else region.exclusive_duration, wall)


def _percent(part, whole):
    return f"{100 * part / whole:.1f}" if whole and part is not None else "-"


def _ns(seconds):
    return round(seconds * 1e9)
