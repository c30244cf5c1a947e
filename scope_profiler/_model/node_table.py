"""The nodes of a rank as a table, from which each is made when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cached_property, partial
from itertools import repeat
import math
from operator import attrgetter
from typing import Any

import numpy as np

from .._base.on_demand import OnDemand
from .recorded import Node
from .sketch import Sketch, Sketches
from .statistics import RegionStatistics
from .work import together

#: Stands for an integer that is not known.
UNKNOWN = int(np.iinfo(np.int64).min)

STATISTICS = [
    field.name for field in fields(RegionStatistics)
    if field.name not in ("name", "timings", "unit", "lines", "work")
]
#: A row of the table. sketch: how many values it has, -1 where there is none; unit: ns for each; deviation:
#: the standard one, not rounded, NaN where it is unknown.
NODE = np.dtype(
    [("rank", "<i8"), ("parent", "<i8"), ("first_ns", "<i8"), ("sketch", "<i8"), ("unit", "<f8")]
    + [(name, "<i8") for name in STATISTICS] + [("deviation", "<f8")]
)


def fill(column: np.ndarray, values: Sequence[Any], otherwise: float) -> None:
    """Put values into a column, `otherwise` in the place of None. Often all are the same."""
    if values[0] is values[-1] and values.count(values[0]) == len(values):
        column[:] = known_or(values[:1], otherwise)
    else:
        column[:] = known_or(values, otherwise)


def known_or(values: Sequence[Any], otherwise: float) -> Sequence[Any]:
    """The values, `otherwise` in the place of None."""
    if None not in values:
        return values
    return [otherwise if value is None else value for value in values]


def or_none(column: np.ndarray) -> list[Any]:
    """The values of a column, None where they are unknown."""
    values = column.tolist()
    unknown = np.flatnonzero((column == UNKNOWN) | (column != column))
    for place in unknown.tolist():
        values[place] = None
    return values


class NodeTable(OnDemand[Node]):
    """The nodes of one rank.

    names, rows: Of all nodes, of whatever rank.
    places: Integers [n]: which of these are those of the rank.
    sketches: Of all nodes.
    worked: What was added at nodes, by their number among all.

    Raises ValueError when they are in no tree.
    """

    def __init__(
        self,
        names: Sequence[str],
        rows: np.ndarray,
        places: np.ndarray,
        sketches: Sketches,
        worked: Mapping[int, dict[str, float]],
    ) -> None:
        parents = rows["parent"][places]
        astray = np.flatnonzero((parents < -1) | (parents >= np.arange(len(parents))))
        if len(astray):
            raise ValueError(f"node {astray[0]} is below number {parents[astray[0]]}")
        self.names = [names[place] for place in places.tolist()]
        throttled = rows["throttled_calls"][places]
        self._throttled = np.where(throttled == UNKNOWN, 0, throttled).tolist()
        self._rows, self._places, self._sketches, self._worked = rows, places, sketches, worked
        self._numbers = places.tolist()
        super().__init__(len(places), _maker(names, rows, places, sketches, worked))

    @classmethod
    def of(cls, nodes: Sequence[Node]) -> NodeTable:
        """These, as a table."""
        if isinstance(nodes, cls):
            return nodes
        rows = np.zeros(len(nodes), NODE)
        rows["parent"] = [node.parent for node in nodes]
        rows["first_ns"] = known_or([node.first_ns for node in nodes], UNKNOWN)
        sketches = Sketches.of([node.sketch for node in nodes])
        rows["sketch"], rows["unit"] = sketches.sizes, sketches.units
        statistics = [node.statistics for node in nodes]
        # Column by column: with a hundred thousand of them that is much quicker.
        for name, values in zip(STATISTICS, zip(*map(attrgetter(*STATISTICS), statistics))):
            fill(rows[name], values, UNKNOWN)
        rows["deviation"] = known_or([node.std_ns for node in nodes], math.nan)
        worked = {place: one.work for place, one in enumerate(statistics) if one.work is not None}
        return cls([node.name for node in nodes], rows, np.arange(len(nodes)), sketches, worked)

    @property
    def rows(self) -> np.ndarray:
        """NODE [n]."""
        return self._rows[self._places]

    def sketches(self) -> tuple[np.ndarray, np.ndarray]:
        """Values and counts of all sketches, one after the other: float64 and int64 [n]."""
        return self._sketches.columns(self._places)

    def worked(self) -> list[dict[str, float] | None]:
        """What was added at each."""
        return [*map(self._worked.get, self._numbers)]

    @cached_property
    def by_name(self) -> dict[str, list[int]]:
        """Where the nodes of each region are."""
        found: dict[str, list[int]] = {}
        for number, name in enumerate(self.names):
            found.setdefault(name, []).append(number)
        return found

    def told(self, numbers: Sequence[int]) -> dict[str, Any]:
        """What the nodes of one region say of its calls, as arguments of `Region`; none is made for it."""
        return {
            "sketch": partial(self.sketch, numbers),
            "work": together(map(self._worked.get, (self._numbers[number] for number in numbers))),
            "throttled_calls": sum(map(self._throttled.__getitem__, numbers)),
        }

    def sketch(self, numbers: Sequence[int]) -> Sketch | None:
        """The calls of these nodes together; None when unknown."""
        sketches = (self._sketches.at(self._numbers[number]) for number in numbers)
        known = [sketch for sketch in sketches if sketch is not None]
        return Sketch.merged(known) if known else None


def _maker(
    names: Sequence[str], rows: np.ndarray, places: np.ndarray, sketches: Sketches,
    worked: Mapping[int, dict[str, float]],
) -> Callable[[Sequence[int]], Iterator[Node]]:
    def make(numbers: Sequence[int]) -> Iterator[Node]:
        chosen = places[numbers]
        parents, firsts, deviations, *values = (
            or_none(rows[name][chosen]) for name in ("parent", "first_ns", "deviation", *STATISTICS))
        known = dict(zip(STATISTICS, values))
        known["name"] = [names[place] for place in chosen.tolist()]
        known["work"] = [*map(worked.get, chosen.tolist())]
        statistics = map(RegionStatistics, *(
            known.get(field.name, repeat(field.default)) for field in fields(RegionStatistics)))
        return map(Node, parents, statistics, firsts, map(sketches.at, chosen.tolist()), deviations)

    return make
