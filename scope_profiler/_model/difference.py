"""What came to a run between two moments: the difference of two of its trees, and of its lines.

Calls count where they end, with their whole time, as in the run. What open calls have come to is the
difference too: below 0 where one that was open at the first moment has ended. So total and open total
together are the time inside the region between the two moments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from . import buckets
from .counted_lines import CountedLine, CountedLines
from .counter_values import between as counters_between
from .recorded import PERCENTILES, SUMS, Node, Recorded, std_of
from .statistics import RegionStatistics
from .work import between

#: Facts of a moment, not of the time up to it.
_OF_A_MOMENT = ("open", "threads", "log_bytes", "events")


def recorded_between(later: Recorded, earlier: Recorded) -> tuple[Recorded, list[int]]:
    """The tree of the time between, without the nodes where nothing happened in it; and of each node of
    `later` its place there, -1 for none.

    Raises ValueError when `earlier` has calls that `later` does not have.
    """
    numbers: dict[tuple[int, str], int] = {}
    paths = _paths(later.nodes, numbers)
    before = dict(zip(_paths(earlier.nodes, numbers), earlier.nodes))
    if len(numbers) > len({*paths}):
        raise ValueError("the earlier results have calls that the later ones do not have")
    changed = [_changed(node, before.get(path)) for path, node in zip(paths, later.nodes)]
    wanted = [bool(one.statistics.counted_calls or one.statistics.open_calls) for one in changed]
    for place in reversed(range(len(changed))):
        if wanted[place] and changed[place].parent >= 0:
            wanted[changed[place].parent] = True
    places, nodes = [], []
    for node, is_wanted in zip(changed, wanted):
        places.append(len(nodes) if is_wanted else -1)
        if is_wanted:
            above = places[node.parent] if node.parent >= 0 else -1
            nodes.append(replace(node, parent=above))
    wall = later.wall_ns - earlier.wall_ns
    return Recorded(nodes, wall, _facts(later.facts, earlier.facts),
                    counters=counters_between(later.counters, earlier.counters)), places


def _paths(nodes: Iterable[Node], numbers: dict[tuple[int, str], int]) -> list[int]:
    """The number of each node's path. numbers: that of each path that has one, by that of the path above
    or -1 and the name; others are added."""
    paths: list[int] = []
    for node in nodes:
        above = paths[node.parent] if node.parent >= 0 else -1
        paths.append(numbers.setdefault((above, node.name), len(numbers)))
    return paths


def _facts(later: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value - earlier.get(name, 0)
        if isinstance(value, (int, float)) and name not in _OF_A_MOMENT else value
        for name, value in later.items()
    }


def _changed(later: Node, earlier: Node | None) -> Node:
    if earlier is None or not (earlier.statistics.counted_calls or earlier.statistics.open_calls):
        return later
    after, before = later.statistics, earlier.statistics
    scale = _scale(later, earlier)

    def difference(name: str) -> Any:
        new, old = getattr(after, name), getattr(before, name)
        if new is None or old is None:
            return None
        return new - (round(old * scale) if name.endswith("_ns") else old)

    known: dict[str, Any] = {name: difference(name) for name in SUMS}
    known["open_calls"] = after.open_calls
    known["work"] = between(after.work, before.work)
    calls = known["num_calls"]
    if calls == 0:  # times are those of calls that have ended
        opened = {name: known[name] for name in (
            "open_calls", "open_total_ns", "open_exclusive_ns", "work", "throttled_calls")}
        return replace(later, statistics=replace(RegionStatistics.nothing_of(later.name), **opened),
                       first_ns=None, sketch=None, std_ns=None)
    if calls < 0:
        raise ValueError(f"the earlier results have more calls of {later.name!r} than the later ones")
    if before.num_calls == 0:
        return replace(later, statistics=replace(after, **known))
    for name in ("corrected_total_ns", "corrected_exclusive_ns"):
        of = name.removeprefix("corrected_")
        added = [getattr(one, of) - getattr(one, name) for one in (after, before)]
        known[name] = known[of] - (added[0] - added[1])
    # The most of all calls is that of these where it has grown.
    is_new = after.peak_bytes is not None and after.peak_bytes > (before.peak_bytes or 0)
    known["peak_bytes"] = after.peak_bytes if is_new else None
    known["average_ns"] = round(known["sum_ns"] / calls)
    if later.sketch is None or earlier.sketch is None:
        raise ValueError("the results do not have the sketches that percentiles come from")
    sketch = later.sketch.less(earlier.sketch)
    least, most = sketch.bounds_ns()
    known["minimum_ns"] = max(least, after.minimum_ns)
    known["maximum_ns"] = min(most, after.maximum_ns)
    for name, percentile in PERCENTILES.items():
        known[name] = sketch.percentile_ns(percentile, known["minimum_ns"], known["maximum_ns"])
    std = _std(later, earlier, scale)
    known["std_ns"] = round(std)
    return Node(later.parent, replace(after, **known), None, sketch, std)


def _scale(later: Node, earlier: Node) -> float:
    """Times are counted in ticks, which are taken for nanoseconds by the course of the clock up to
    each moment: what the earlier ones have to be multiplied by."""
    if later.sketch is None or earlier.sketch is None or not earlier.sketch.unit:
        return 1.0
    return later.sketch.unit / earlier.sketch.unit


def _std(later: Node, earlier: Node, scale: float) -> float:
    """The standard deviation of the calls that came to it: from that of all, that of those before, and
    the means, by the formula of Chan, Golub and LeVeque."""
    after, before = later.statistics, earlier.statistics
    calls = after.num_calls - before.num_calls
    mean_before = scale * before.sum_ns / before.num_calls
    mean = (after.sum_ns - scale * before.sum_ns) / calls
    squares = after.num_calls * std_of(later) ** 2 - before.num_calls * (
        scale * std_of(earlier)) ** 2
    squares -= (mean - mean_before) ** 2 * calls * before.num_calls / after.num_calls
    return (max(squares, 0.0) / calls) ** 0.5


def lines_between(
    later: Iterable[CountedLines], earlier: Iterable[CountedLines]
) -> list[CountedLines]:
    """The lines that were hit between, each with what came to it."""
    before = {(one.region, one.code): one for one in earlier}
    found = []
    for one in later:
        known = before.get((one.region, one.code))
        if known is not None:
            one = one._replace(rows=_lines(one.rows, known.rows), again=_lines(one.again, known.again))
        if one.rows:
            found.append(one)
    return found


def _lines(later: Iterable[CountedLine], earlier: Iterable[CountedLine]) -> list[CountedLine]:
    before = {row.line: row for row in earlier}
    rows = [_line(row, before[row.line]) if row.line in before else row for row in later]
    return [row for row in rows if row.hits or row.time_ns]


def _line(later: CountedLine, earlier: CountedLine) -> CountedLine:
    changed = later.less(earlier)
    # The peak of all hits is that of these where it is new.
    is_new = later.peak_bytes is not None and later.peak_bytes > (earlier.peak_bytes or 0)
    known: dict[str, Any] = {"peak_bytes": later.peak_bytes if is_new else None, "minimum_ns": None,
                             "maximum_ns": None}
    if changed.sketch:
        least, most = buckets.bounds(changed.sketch)
        known["minimum_ns"] = max(least, later.minimum_ns or 0)
        known["maximum_ns"] = most if later.maximum_ns is None else min(most, later.maximum_ns)
    return changed._replace(**known).with_percentile()
