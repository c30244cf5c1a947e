"""What the recorder itself knows of a rank: the tree of its calls with statistics of every call.

These are exact, as they were counted, and need no pass over the calls; they are what reports and
tables show of a run that was recorded here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .._base.on_demand import OnDemand
from .counter_values import CounterValues
from .samples import Samples
from .statistics import RegionStatistics
from .work import together

if TYPE_CHECKING:
    from .sketch import Sketch


#: The name of what groups calls on more paths than are told apart (src/record/node.h).
OTHER_PATHS = "(other paths)"


@dataclass(frozen=True, slots=True)
class Node:
    """A region at its place in the tree.

    parent: The place of the node that it is below, among the nodes of its rank, where parents come
        first; -1 for none.
    statistics: Of the calls that were made there.
    first_ns: When the first of them began, on the axis of ``perf_counter_ns()``; None when unknown.
    sketch: What their percentiles come from; None when unknown.
    std_ns: The standard deviation of the calls, not rounded as it is in `statistics`; None when unknown.
    """

    parent: int
    statistics: RegionStatistics
    first_ns: int | None = None
    sketch: Sketch | None = field(default=None, compare=False)
    std_ns: float | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The name of the region."""
        return self.statistics.name


@dataclass(frozen=True, slots=True)
class Recorded:
    """The tree of one rank, and what there is to say of its recording.

    nodes: Parents before their children; who gives `OnDemand` has seen to that.
    wall_ns: From the begin of the run to when this was taken.
    facts: int, float and str: how many calls were missed, why, and what measuring cost; see
        `report.notes`.
    samples: What the sampler counted; None without it.
    counters: What counters of the program had as values, by their name.
    """

    nodes: Sequence[Node]
    wall_ns: int
    facts: Mapping[str, Any]
    samples: Samples | None = None
    counters: Mapping[str, CounterValues] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place, node in enumerate(() if isinstance(self.nodes, OnDemand) else self.nodes):
            if not -1 <= node.parent < place:
                raise ValueError(f"node {place} is below number {node.parent}")

    def only(self, wanted: Callable[[str], bool]) -> Recorded:
        """The same without the regions whose name is not wanted; what was below them is then below
        what they were below."""
        if all(wanted(node.name) for node in self.nodes):
            return self
        kept: dict[int, list[Node]] = {}
        places = self.places(wanted)
        for node, place in zip(self.nodes, places):
            if wanted(node.name):
                above = places[node.parent] if node.parent >= 0 else -1
                kept.setdefault(place, []).append(replace(node, parent=above))
        return replace(self, nodes=[merged(nodes) for nodes in kept.values()])

    def places(self, wanted: Callable[[str], bool]) -> list[int]:
        """Of each node its place in `only(wanted)`, or that of what it was below."""
        placed: list[int] = []
        paths: dict[tuple[int, str], int] = {}
        for node in self.nodes:
            above = placed[node.parent] if node.parent >= 0 else -1
            placed.append(
                paths.setdefault((above, node.name), len(paths)) if wanted(node.name) else above
            )
        return placed


#: What adds up; running and waiting where it was measured everywhere.
SUMS = (
    "num_calls", "errors", "open_calls", "total_ns", "exclusive_ns", "sum_ns", "open_total_ns",
    "open_exclusive_ns", "corrected_total_ns", "corrected_exclusive_ns", "running_ns", "waiting_ns",
    "allocated_bytes", "freed_bytes", "allocations", "frees", "throttled_calls",
)  # fmt: skip
PERCENTILES = {"p50_ns": 50, "p90_ns": 90, "p95_ns": 95, "p99_ns": 99, "p999_ns": 99.9}


def merged(nodes: Sequence[Node]) -> Node:
    """The calls of several nodes of one region, of which there is at least one, as one node."""
    if len(nodes) == 1:
        return nodes[0]
    every = [node.statistics for node in nodes]
    known: dict[str, Any] = {}
    for name in SUMS:
        values = [getattr(statistics, name) for statistics in every]
        known[name] = None if None in values else sum(values)
    peaks: list[Any] = [statistics.peak_bytes for statistics in every]
    known["peak_bytes"] = None if None in peaks else max(peaks)
    known["work"] = together(statistics.work for statistics in every)
    called = [statistics for statistics in every if statistics.num_calls]
    known["minimum_ns"] = min((statistics.minimum_ns for statistics in called), default=0)
    known["maximum_ns"] = max((statistics.maximum_ns for statistics in called), default=0)
    calls = known["num_calls"]
    mean = known["sum_ns"] / calls if calls else 0.0
    known["average_ns"] = round(mean)
    squares = sum(
        one.num_calls * (std_of(node) ** 2 + (one.sum_ns / one.num_calls - mean) ** 2)
        for node, one in zip(nodes, every) if one.num_calls
    )
    std = (squares / calls) ** 0.5 if calls else 0.0
    known["std_ns"] = round(std)
    sketch = None
    sketches = [node.sketch for node in nodes if node.sketch is not None]
    if len(sketches) == len(nodes):
        from .sketch import Sketch

        sketch = Sketch.merged(sketches)
    for name, percentile in PERCENTILES.items():
        known[name] = None if sketch is None else sketch.percentile_ns(
            percentile, known["minimum_ns"], known["maximum_ns"]
        )
    begins = [node.first_ns for node in nodes if node.first_ns is not None]
    return Node(
        nodes[0].parent, replace(every[0], **known), min(begins, default=None), sketch,
        None if any(node.std_ns is None for node in nodes) else std,
    )


def std_of(node: Node) -> float:
    """The standard deviation, as exactly as it is known, ns."""
    return node.statistics.std_ns if node.std_ns is None else node.std_ns


def work_by_region(nodes: Iterable[Node]) -> dict[str, dict[str, float]]:
    """What was added to each region that has any, wherever it was called."""
    found: dict[str, Any] = {}
    for node in nodes:
        if node.statistics.work:
            found[node.name] = together([found.get(node.name), node.statistics.work])
    return found


def sketches_by_region(nodes: Iterable[Node]) -> dict[str, Sketch]:
    """The calls of each region, wherever they were made."""
    from .sketch import Sketch

    by_name: dict[str, list[Sketch]] = {}
    for node in nodes:
        if node.sketch is not None:
            by_name.setdefault(node.name, []).append(node.sketch)
    return {name: Sketch.merged(sketches) for name, sketches in by_name.items()}
