"""The rows of a table of regions: those of a tree, or of the regions alone."""

from dataclasses import dataclass, field

from .._model.recorded import merged
from .._model.statistics import RegionStatistics


@dataclass(slots=True, eq=False)
class Row:
    """A region at its place in the tree."""

    statistics: RegionStatistics
    parent: "Row | None"
    by_rank: dict  # rank: ns that its calls took there
    first_ns: "int | None" = None
    places: dict = field(default_factory=dict)  # rank: where it is among the nodes of its tree
    first_call_ns: "int | None" = None  # the durations of single calls, where they were asked for
    last_call_ns: "int | None" = None
    children: list = field(default_factory=list)
    depth: int = 0

    def __post_init__(self):
        if self.parent is not None:
            self.depth = self.parent.depth + 1
            self.parent.children.append(self)

    @property
    def name(self):
        return self.statistics.name

    @property
    def total_ns(self):
        """With what open calls have come to."""
        return self.statistics.total_ns + self.statistics.open_total_ns

    @property
    def own_ns(self):
        own = self.statistics.exclusive_ns
        return None if own is None else own + self.statistics.open_exclusive_ns

    @property
    def imbalance(self):
        """By how many per cent the slowest rank exceeds the mean."""
        times = [ns for ns in self.by_rank.values() if ns]
        return 100 * (max(times) * len(times) / sum(times) - 1) if len(times) > 1 else 0.0


def tree_rows(recorded):
    """The roots of the tree. recorded: {rank: Recorded}, whose nodes of one path are one row."""
    paths = {}  # (number of the path above or -1, name): its number
    found = []  # by number: [(rank, place, node)]
    for rank, of_rank in recorded.items():
        path_of = []
        for node in of_rank.nodes:
            above = path_of[node.parent] if node.parent >= 0 else -1
            number = paths.setdefault((above, node.name), len(paths))
            path_of.append(number)
            if number == len(found):
                found.append([])
            found[number].append((rank, len(path_of) - 1, node))
    roots, rows = [], []
    for (above, _), nodes in zip(paths, found):
        parent = rows[above] if above >= 0 else None
        node = merged([node for _, _, node in nodes])
        by_rank = {rank: node.statistics.sum_ns for rank, _, node in nodes}
        places = {rank: place for rank, place, _ in nodes}
        rows.append(Row(node.statistics, parent, by_rank, node.first_ns, places))
        if parent is None:
            roots.append(rows[-1])
    return roots


def region_row(region):
    """The row of an MPIRegion, wherever it was called."""
    by_rank = {rank: region[rank].total_duration_ns for rank in region if region[rank].num_calls}
    row = Row(_statistics_of(region), None, by_rank, region.first_start_time_ns)
    if region.num_events:
        row.first_call_ns, row.last_call_ns = (
            round(seconds * 1e9) for seconds in (region.first_duration, region.last_duration)
        )
    return row


def _statistics_of(region):
    waits = [region[rank].await_ns for rank in region]
    waiting = None if any(ns is None for ns in waits) else sum(int(ns.sum()) for ns in waits)
    total = region.inclusive_duration_ns
    return RegionStatistics(
        region.name, region.num_calls, region.errors, 0, total, region.exclusive_duration_ns,
        _ns(region.average_duration), region.min_duration_ns, region.max_duration_ns,
        _ns(region.std_duration),
        *(_ns(getattr(region, f"{p}_duration")) for p in ("p50", "p90", "p95", "p99", "p999")),
        region.corrected_total_ns, region.corrected_exclusive_ns,
        None if waiting is None else total - waiting, waiting, region.total_duration_ns, 0, 0,
        work=region.work, throttled_calls=region.throttled_calls or 0,
    )


def _ns(seconds):
    return None if seconds is None else round(seconds * 1e9)


def add_single_calls(roots, regions, node_ids):
    """Tell the rows how long the first and the last call took. regions: {name: MPIRegion}; node_ids:
    {rank: {name: the place of each call in the tree, or None}}."""
    pending = list(roots)
    while pending:
        row = pending.pop()
        pending.extend(row.children)
        found = []
        for rank, place in row.places.items():
            ids = node_ids.get(rank, {}).get(row.name)
            made = () if ids is None else (ids == place).nonzero()[0]
            for at in (made[0], made[-1]) if len(made) else ():
                region = regions[row.name][rank]
                found.append((int(region.start_times_ns[at]), int(region.durations_ns[at])))
        if found:
            row.first_call_ns, row.last_call_ns = (
                of(found, key=lambda call: call[0])[1] for of in (min, max)
            )


def in_order(roots, key, reverse=True, nested=True):
    """The rows depth first, siblings sorted by key(row); those of which it is None come last.

    nested: False for the given rows alone.
    """
    if not nested:
        return _sorted(roots, key, reverse)
    ordered = []
    pending = _sorted(roots, key, reverse)[::-1]
    while pending:
        ordered.append(pending.pop())
        pending.extend(_sorted(ordered[-1].children, key, reverse)[::-1])
    return ordered


def _sorted(rows, key, reverse):
    known = [row for row in rows if key(row) is not None]
    return sorted(known, key=key, reverse=reverse) + [row for row in rows if key(row) is None]
