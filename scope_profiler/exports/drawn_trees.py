"""The trees that pictures of stacks are of: what was sampled, where the run has that; else what was
recorded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from .._base.arguments import name_filter
from .._model.recorded import Node, Recorded
from .._model.samples import FUNCTION, Place, Samples, of_stacks
from .._model.statistics import RegionStatistics
from ..results import ProfilingResults
from ..results.functions import RankTree, ranks_of, trees_of


def drawn_trees_of(
    results: ProfilingResults,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
) -> Iterator[RankTree]:
    """The tree of each rank, as `trees_of` gives it; of one that was sampled that of its samples."""
    sampled = dict(sampled_trees_of(results, ranks, include, exclude))
    for rank in ranks_of(results, ranks):
        if rank in sampled:
            yield RankTree(rank, sampled[rank])
        else:
            yield from trees_of(results, rank, include, exclude)


def sampled_trees_of(
    results: ProfilingResults,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
) -> Iterator[RankTree]:
    """The tree of the samples of each rank that has some: threads, open regions, functions. The own time
    of a node is what its samples stand for."""
    wanted = name_filter(include, exclude)
    for rank in ranks_of(results, ranks):
        known = results.recorded.get(rank)
        if known is not None and known.samples is not None and known.samples.total:
            nodes = _nodes(known.samples)
            yield RankTree(rank, Recorded(nodes, 0, {}).only(wanted).nodes)


def _nodes(samples: Samples) -> list[Node]:
    by_function = of_stacks(
        ((tuple(place.function for place in stack), count) for stack, count in samples.stacks()),
        hz=samples.hz, clock=samples.clock, ticks=0, instants=0, missed=0, unreadable=0)
    period = 1e9 / samples.hz
    return [
        Node(parent, replace(RegionStatistics.nothing_of(label(by_function.places[place])),
                             exclusive_ns=round(count * period)))
        for parent, place, count in zip(by_function.parents, by_function.at, by_function.counts)
    ]


def label(place: Place) -> str:
    """The name of a place in a picture."""
    if place.kind != FUNCTION:
        return place.name
    return f"{place.name} ({os.path.basename(place.file)}:{place.first_line})"
