"""Functions: each region with all its calls, by whom it was called and what it called itself.

All of it comes from the trees, so the numbers are those of every other table. A recursion is one node
of the tree: its calls count for whoever made the outermost one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from .._base.arguments import name_filter, rank_set
from .._model.recorded import Node
from .._model.statistics import RegionStatistics
from .call_stack import tree_of_calls
from .errors import EventDataUnavailableError, NestingError

if TYPE_CHECKING:
    from .mpi_region import MPIRegion
    from .profiling_results import ProfilingResults


class RankTree(NamedTuple):
    """The tree of one rank: nodes, parents before their children."""

    rank: int
    nodes: Sequence[Node]


def trees_of(
    results: ProfilingResults,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
) -> Iterator[RankTree]:
    """The tree of each rank, of the regions that were chosen as by `get_regions`.

    It is the recorder's, where that is known, or else follows from the calls. Where neither is, it is
    flat. Ranks without a call have none.
    """
    tree_of = trees_by_rank(results, include, exclude)
    for rank in ranks_of(results, ranks):
        nodes = tree_of(rank)
        if nodes:
            yield RankTree(rank, nodes)


def trees_by_rank(
    results: ProfilingResults, include: str | Iterable[str] | None, exclude: str | Iterable[str] | None
) -> Callable[[int], Sequence[Node]]:
    """What gives the nodes of the tree of a rank, as `trees_of`; of one without a call there are none."""
    wanted = name_filter(include, exclude)
    regions = results.get_regions(include, exclude)

    def tree_of(rank: int) -> Sequence[Node]:
        if rank in results.recorded:
            return results.recorded[rank].only(wanted).nodes
        return _from_calls(
            [region for region in regions if rank in region and region[rank].num_calls], rank)

    return tree_of


def ranks_of(results: ProfilingResults, chosen: int | Iterable[int] | None) -> list[int]:
    """The ranks that recorded something, of those that were chosen (None: all)."""
    wanted = rank_set(chosen)
    known = {*results.recorded}.union(*(region.ranks for region in results))
    return sorted(known if wanted is None else known & wanted)


def _from_calls(regions: Sequence[MPIRegion], rank: int) -> Sequence[Node]:
    try:
        if all(region[rank].num_events == region[rank].num_calls for region in regions):
            return tree_of_calls(regions, rank)[0].nodes
    except (EventDataUnavailableError, NestingError):
        pass
    return [_alone(region, rank) for region in regions]


def _alone(region: MPIRegion, rank: int) -> Node:
    """The node of a region of which nobody knows what it is inside of."""
    of_rank = region[rank]
    own = of_rank.exclusive_duration_ns
    statistics = RegionStatistics.nothing_of(region.name)
    known: dict[str, Any] = {
        "num_calls": of_rank.num_calls,
        "total_ns": of_rank.inclusive_duration_ns,
        "exclusive_ns": of_rank.inclusive_duration_ns if own is None else own,
        "sum_ns": of_rank.total_duration_ns,
    }
    return Node(-1, replace(statistics, **known))


class CallSums(NamedTuple):
    """How often something was called, and for how long, ns: by itself, and with what it called."""

    calls: int
    own_ns: int
    total_ns: int

    def plus(self, other: CallSums) -> CallSums:
        """Both together."""
        return CallSums(*(mine + its for mine, its in zip(self, other)))


_NONE = CallSums(0, 0, 0)

#: What call tracing puts behind the name of a function where another has that name (see `_decide`).
_MARK = re.compile(r":\d+(#\d+)?$")

#: The file and first line of the region of a name; (None, 0) when they are unknown.
Place = Callable[[str], tuple[str | None, int]]


@dataclass(slots=True)
class Function:
    """A region with all its calls.

    name: Of the region. file, line: Where it stands; None and 0 when unknown.
    sums: Of all its calls. callers, callees: The part of each function that called it, and of each
        that it called, by the name of the region.
    """

    name: str
    file: str | None
    line: int
    sums: CallSums = _NONE
    callers: dict[str, CallSums] = field(default_factory=dict)
    callees: dict[str, CallSums] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int, str]:
        """(file, line, function), as pstats knows it; ("~", 0, name) where the place is unknown."""
        if self.file is None:
            return "~", 0, self.name
        return self.file, self.line, self.function

    @property
    def function(self) -> str:
        """Its own name, as in a `def`; that of the region where no place is known."""
        return self.name if self.file is None else _MARK.sub("", self.name).rpartition(".")[2]

    @property
    def label(self) -> str:
        """"file:line(function)", or the name of the region where its place is unknown."""
        return self.name if self.file is None else f"{self.file}:{self.line}({self.function})"


def functions_of(nodes: Iterable[Node], place: Place, known: dict[str, Function] | None = None
                 ) -> dict[str, Function]:
    """The functions of a tree by the names of their regions, in the order in which they are met.

    Calls that are open count with what they have come to. known: to which they are added; None for a
    new dict.
    """
    found: dict[str, Function] = {} if known is None else known
    names: list[str] = []
    for node in nodes:
        names.append(node.name)
        function = found.get(node.name)
        if function is None:
            function = found[node.name] = Function(node.name, *place(node.name))
        sums = sums_of(node)
        function.sums = function.sums.plus(sums)
        if node.parent >= 0:
            above = found[names[node.parent]]
            function.callers[above.name] = function.callers.get(above.name, _NONE).plus(sums)
            above.callees[node.name] = above.callees.get(node.name, _NONE).plus(sums)
    return found


def sums_of(node: Node) -> CallSums:
    """The calls of a node, those that are open with what they have come to."""
    statistics = node.statistics
    return CallSums(
        statistics.counted_calls + statistics.open_calls,
        statistics.exclusive_ns + statistics.open_exclusive_ns,
        statistics.total_ns + statistics.open_total_ns,
    )


def place_in(results: ProfilingResults) -> Place:
    """Where regions of these results stand."""

    def place(name: str) -> tuple[str | None, int]:
        if name not in results:
            return None, 0
        region = results[name]
        return region.source_file, region.source_lineno or 0

    return place
