"""The slowest calls of a region as text: what was noted for each, and what ran inside it."""

from .._base.shown import shown
from . import region_table, table_columns as columns
from .rows import in_order, tree_rows
from .style import format_time, many

_COLUMNS = ("region", "calls", "parent_percent", "total", "own")


def show_slow_calls(region, calls, out, whole=False):
    """Print SlowCalls of an MPIRegion. whole: leave no row of what ran inside out."""
    out.line()
    out.title(f"scope-profiler: {shown(region.name)} – the slowest {len(calls)} of "
              f"{many(region.num_calls, 'call')}, median {_median(region)}")
    for number, call in enumerate(calls, 1):
        where = "" if call.track is None else f" in {shown(call.track)}"
        rank = f" on rank {call.rank}" if len(region) > 1 else ""
        out.line()
        out.head(f"{number}. {format_time(call.duration_ns)}, {format_time(call.start_ns)} after the "
                 f"begin{where}{rank}")
        if call.metadata:
            out.note(", ".join(f"{shown(key)}: {shown(value)}" for key, value in call.metadata.items()))
        if call.inside is None:
            out.note("It is not known which calls are inside which.")
        elif len(call.inside.nodes) > 1:
            rows = in_order(tree_rows({call.rank: call.inside}), columns.SORT_KEYS["total"])
            printed, _ = region_table.show(rows, call.duration_ns, out, _COLUMNS, whole=whole)
            if len(printed) < len(rows):
                out.note(f"… and {many(len(rows) - len(printed), 'row')} not shown: --all")


def _median(region):
    seconds = region.p50_duration
    return columns.UNKNOWN if seconds is None else format_time(round(seconds * 1e9))
