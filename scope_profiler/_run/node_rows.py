"""The nodes of the core's tree, as the table that results and files have."""

import numpy as np

from .._model.node_table import NODE, STATISTICS, UNKNOWN, NodeTable, fill
from .._model.recorded import OTHER_PATHS
from .._model.sketch import Sketches
from .._model.statistics import MEMORY

#: Of the columns of sketches that the core gives.
_SKETCHES = np.uint32, np.uint16, np.uint64

#: What was not measured where others lack a number: those of a node without calls are 0.
_MEASURED = {"running_ns", "waiting_ns", *MEMORY}


def node_table(moment, cost):
    """The NodeTable of a Moment; the same as `RegionStatistics.from_row` makes of its rows, one by one."""
    tree = moment.tree
    if not tree:
        return NodeTable.of([])
    (parents, regions, calls, errors, open_calls, total, every, exclusive, minimum, maximum, deviation,
     percentiles, _, added, added_below, waiting, open_total, open_exclusive, memory, work, first,
     throttled) = zip(*tree)
    columns = {
        "num_calls": calls, "errors": errors, "open_calls": open_calls, "total_ns": total,
        "exclusive_ns": exclusive, "minimum_ns": minimum, "maximum_ns": maximum, "sum_ns": every,
        "average_ns": [round(ns / n) if n else 0 for ns, n in zip(every, calls)],
        "std_ns": [*map(round, deviation)],
        **dict(zip(("p50_ns", "p90_ns", "p95_ns", "p99_ns", "p999_ns"), zip(*percentiles))),
        "corrected_total_ns": _less(total, cost.added_to_each(added_below)),
        "corrected_exclusive_ns": _less(exclusive, cost.added_to_each(added)),
        "waiting_ns": waiting,
        "running_ns": [None if waited is None else ns - waited for ns, waited in zip(total, waiting)],
        "open_total_ns": open_total, "open_exclusive_ns": open_exclusive, "throttled_calls": throttled,
        **{name: [known and known[place] for known in memory] for place, name in enumerate(MEMORY)},
    }
    rows = np.zeros(len(tree), NODE)
    for name in STATISTICS:
        fill(rows[name], columns[name], UNKNOWN)
    rows["parent"], rows["deviation"] = parents, deviation
    fill(rows["first_ns"], [None if ns < 0 else ns for ns in first], UNKNOWN)
    for place in [place for place, region in enumerate(regions) if region is None]:
        for name in STATISTICS:
            rows[name][place] = UNKNOWN if name in _MEASURED else 0
    sketches = Sketches.of_used_buckets(*map(np.frombuffer, moment.sketches, _SKETCHES), moment.scale)
    rows["sketch"], rows["unit"] = sketches.sizes, sketches.units
    names = [OTHER_PATHS if region is None else region.name for region in regions]
    worked = {place: one for place, one in enumerate(work) if one}
    return NodeTable(names, rows, np.arange(len(tree)), sketches, worked)


def _less(times, added):
    return [round(ns - more) for ns, more in zip(times, added)]
