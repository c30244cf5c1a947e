"""The recorder's trees as tables: rows of integers, names, sketches and facts, in both formats alike.

`nodes` has a row for each node, rank after rank, parents first; their sketches lie one after the
other in `sketch_values` and `sketch_counts`. `work` has a row for each quantity that was added at a
node, the number of that node among all, and that of the quantity among `quantities`; where there is
none, the two are not there. `counters` has a row for each value of a counter, whose number among
`counter_names` it has.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from itertools import repeat
from operator import attrgetter
from typing import Any

import numpy as np

from .._base.on_demand import OnDemand
from .._model.counter_values import by_counter
from .._model.recorded import Node, Recorded, sketches_by_region, throttled_by_region, work_by_region
from ..results import Sketch
from .._model.samples import Samples
from .._model.statistics import LONGEST_NS, RegionStatistics
from .._model.work import together

#: Stands for an integer that is not known.
_UNKNOWN = int(np.iinfo(np.int64).min)

#: What a file without the column stands for, where that is known: it is from before there were such.
_ABSENT = {"throttled_calls": 0}

_STATISTICS = [
    field.name for field in fields(RegionStatistics)
    if field.name not in ("name", "timings", "unit", "lines", "work")
]
#: A row of `nodes`. sketch: how many values it has, -1 where there is none; unit: ns for each; deviation:
#: the standard one, not rounded, NaN where it is unknown.
NODE = np.dtype(
    [("rank", "<i8"), ("parent", "<i8"), ("first_ns", "<i8"), ("sketch", "<i8"), ("unit", "<f8")]
    + [(name, "<i8") for name in _STATISTICS] + [("deviation", "<f8")]
)

WORK = np.dtype([("node", "<i8"), ("quantity", "<i8"), ("amount", "<f8")])

COUNTER = np.dtype(
    [("rank", "<i8"), ("counter", "<i8"), ("thread", "<i8"), ("time_ns", "<i8"), ("value", "<f8")]
)


def tables_of(recorded: Mapping[int, Recorded]) -> dict[str, Any]:
    """The tables: `names`, `facts`, `samples`, `quantities` and `counter_names` lists of str, the others
    arrays."""
    ranks = [rank for rank, tree in recorded.items() for _ in tree.nodes]
    nodes = [node for tree in recorded.values() for node in tree.nodes]
    sketches = [node.sketch for node in nodes if node.sketch is not None]
    return {
        "names": [node.name for node in nodes],
        "nodes": _rows(ranks, nodes),
        "sketch_values": np.concatenate([np.empty(0), *(one.values for one in sketches)]),
        "sketch_counts": np.concatenate(
            [np.empty(0, np.int64), *(one.counts for one in sketches)]
        ),
        "facts": [
            json.dumps({**tree.facts, "rank": rank, "wall_ns": tree.wall_ns})
            for rank, tree in recorded.items()
        ],
        "samples": [
            json.dumps({**tree.samples.columns(), "rank": rank})
            for rank, tree in recorded.items() if tree.samples is not None
        ],
        **_work(nodes),
        **_counters(recorded),
    }


def _counters(recorded: Mapping[int, Recorded]) -> dict[str, Any]:
    numbers: dict[str, int] = {}
    parts = []
    for rank, tree in recorded.items():
        for name, known in tree.counters.items():
            part = np.empty(len(known), COUNTER)
            part["rank"], part["counter"] = rank, numbers.setdefault(name, len(numbers))
            part["thread"], part["time_ns"], part["value"] = known.thread_ids, known.times_ns, known.values
            parts.append(part)
    return {"counter_names": [*numbers], "counters": np.concatenate(parts)} if parts else {}


def _work(nodes: list[Node]) -> dict[str, Any]:
    numbers: dict[str, int] = {}
    rows = [
        (place, numbers.setdefault(quantity, len(numbers)), amount)
        for place, node in enumerate(nodes) if node.statistics.work is not None
        for quantity, amount in node.statistics.work.items()
    ]
    return {"quantities": [*numbers], "work": np.array(rows, WORK)} if rows else {}


def _rows(ranks: list[int], nodes: list[Node]) -> np.ndarray:
    """The table `nodes`, filled column by column: with a hundred thousand of them that is much quicker."""
    rows = np.empty(len(nodes), NODE)
    statistics = [node.statistics for node in nodes]
    rows["rank"] = ranks
    rows["parent"] = [node.parent for node in nodes]
    rows["first_ns"] = known_or([node.first_ns for node in nodes], _UNKNOWN)
    sketches = [node.sketch for node in nodes]
    rows["sketch"] = [-1 if sketch is None else len(sketch.values) for sketch in sketches]
    rows["unit"] = [0.0 if sketch is None else sketch.unit for sketch in sketches]
    for name, values in zip(_STATISTICS, zip(*map(attrgetter(*_STATISTICS), statistics))):
        fill(rows[name], values, _UNKNOWN)
    rows["deviation"] = known_or([node.std_ns for node in nodes], math.nan)
    return rows


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
    unknown = np.flatnonzero((column == _UNKNOWN) | (column != column))
    for place in unknown.tolist():
        values[place] = None
    return values


def from_tables(tables: Mapping[str, Any]) -> dict[int, Recorded]:
    """What `tables_of` was given; statistics that a row does not have are unknown. A node is made when it
    is first looked at.

    Raises KeyError, ValueError or TypeError when the tables are not that.
    """
    rows = _whole_rows(tables["nodes"])
    if len(tables["names"]) != len(rows):
        raise ValueError(f"there are {len(rows)} nodes, but {len(tables['names'])} names of them")
    worked = _works(tables)
    if worked and not 0 <= min(worked) <= max(worked) < len(rows):
        raise ValueError(f"work is that of nodes {min(worked)} to {max(worked)}, of {len(rows)}")
    if not (np.isnan(rows["deviation"]) | (np.abs(rows["deviation"]) <= LONGEST_NS)).all():
        raise ValueError("a standard deviation is longer than any call")
    sketches = _sketches(rows, tables)
    sampled = {}
    for text in tables.get("samples", ()):
        known = json.loads(text)
        sampled[int(known["rank"])] = Samples.of_columns(known)
    recorded = {}
    counted = tables.get("counters", np.empty(0, COUNTER))
    places, counts, none = _by_rank(rows["rank"]), _by_rank(counted["rank"]), np.empty(0, np.intp)
    for text in tables["facts"]:
        facts = json.loads(text)
        rank, wall = int(facts.pop("rank")), int(facts.pop("wall_ns"))
        of_rank = counted[counts.get(rank, none)]
        counters = by_counter(tables.get("counter_names", []), of_rank["counter"], of_rank["thread"],
                              of_rank["time_ns"], of_rank["value"])
        nodes = _NodesOfRank(tables["names"], rows, places.get(rank, none), sketches, worked)
        recorded[rank] = Recorded(nodes, wall, facts, sampled.get(rank), counters)
    return recorded


def _by_rank(ranks: np.ndarray) -> dict[int, np.ndarray]:
    """Where each rank stands, found for all at once: there may be thousands."""
    order = np.argsort(ranks, kind="stable")
    found, firsts = np.unique(ranks[order], return_index=True)
    return dict(zip(found.tolist(), np.split(order, firsts[1:])))


def _whole_rows(nodes: np.ndarray) -> np.ndarray:
    """The table with every column there is now, as other versions had others."""
    if nodes.dtype == NODE:
        return nodes
    rows = np.empty(len(nodes), NODE)
    for name in NODE.names or ():
        if name in (nodes.dtype.names or ()):
            np.copyto(rows[name], nodes[name], casting="same_kind")
        elif name == "deviation":
            rows[name] = math.nan
        elif name in _STATISTICS:
            rows[name] = _ABSENT.get(name, _UNKNOWN)
        else:
            raise ValueError(f"nodes have no column {name!r}")
    return rows


class _NodesOfRank(OnDemand[Node]):
    """The nodes of one rank.

    names, rows: Of all nodes.
    places: Which of these are those of the rank.
    sketches: Gives the sketch of a node.
    worked: What was added at nodes, by their number.

    Raises ValueError when they are in no tree.
    """

    def __init__(
        self,
        names: Sequence[str],
        rows: np.ndarray,
        places: np.ndarray,
        sketches: Callable[[int], Sketch | None],
        worked: Mapping[int, dict[str, float]],
    ) -> None:
        parents = rows["parent"][places]
        astray = np.flatnonzero((parents < -1) | (parents >= np.arange(len(parents))))
        if len(astray):
            raise ValueError(f"node {astray[0]} is below number {parents[astray[0]]}")
        self.names = [names[place] for place in places.tolist()]
        throttled = rows["throttled_calls"][places]
        self._throttled = np.where(throttled == _UNKNOWN, 0, throttled).tolist()
        self._places, self._sketches, self._worked = places.tolist(), sketches, worked

        def make(numbers: Sequence[int]) -> Iterator[Node]:
            chosen = places[numbers]
            parents, firsts, deviations, *values = (
                or_none(rows[name][chosen]) for name in ("parent", "first_ns", "deviation", *_STATISTICS))
            known = dict(zip(_STATISTICS, values))
            known["name"] = [names[place] for place in chosen.tolist()]
            known["work"] = [*map(worked.get, chosen.tolist())]
            statistics = map(RegionStatistics, *(
                known.get(field.name, repeat(field.default)) for field in fields(RegionStatistics)))
            return map(Node, parents, statistics, firsts, map(sketches, chosen.tolist()), deviations)

        super().__init__(len(places), make)

    def told(self, numbers: Sequence[int]) -> dict[str, Any]:
        """As `told_of`; no node is made for it."""
        places = [self._places[number] for number in numbers]
        return {
            "sketch": partial(self._sketch, places),
            "work": together(map(self._worked.get, places)) if self._worked else None,
            "throttled_calls": sum(map(self._throttled.__getitem__, numbers)),
        }

    def _sketch(self, places: Sequence[int]) -> Sketch | None:
        known = [sketch for sketch in map(self._sketches, places) if sketch is not None]
        return Sketch.merged(known) if known else None


def told_of(tree: Recorded | None, places: Sequence[int]) -> dict[str, Any]:
    """What the nodes of one region, at these places, say of its calls, as arguments of `Region`."""
    if tree is None or not places:
        return {"sketch": None, "work": None, "throttled_calls": 0}
    nodes = tree.nodes
    if isinstance(nodes, _NodesOfRank):
        return nodes.told(places)
    chosen = [nodes[place] for place in places]
    name = chosen[0].name
    return {
        "sketch": sketches_by_region(chosen).get(name),
        "work": work_by_region(chosen).get(name),
        "throttled_calls": throttled_by_region(chosen).get(name, 0),
    }


def names_of(tree: Recorded) -> Sequence[str]:
    """The name of each node, for which none is made."""
    nodes = tree.nodes
    return nodes.names if isinstance(nodes, _NodesOfRank) else [node.name for node in nodes]


def _works(tables: Mapping[str, Any]) -> dict[int, dict[str, float]]:
    """By the number of the node."""
    found: dict[int, dict[str, float]] = {}
    names = tables.get("quantities", [])
    for node, quantity, amount in tables.get("work", np.empty(0, WORK)).tolist():
        if not 0 <= quantity < len(names) or not math.isfinite(amount):
            raise ValueError(f"node {node} has {amount} of quantity {quantity}, of {len(names)}")
        found.setdefault(node, {})[names[quantity]] = amount
    return found


def _sketches(rows: np.ndarray, tables: Mapping[str, Any]) -> Callable[[int], Sketch | None]:
    """What gives the sketch of each node."""
    values, counts = tables["sketch_values"], tables["sketch_counts"]
    sizes = np.maximum(rows["sketch"], 0)
    known, units, ends = rows["sketch"].tolist(), rows["unit"].tolist(), np.cumsum(sizes).tolist()
    if not (sum(sizes.tolist()) == len(values) == len(counts)):
        raise ValueError("the sketches are not as long as their nodes say")

    def sketch(place: int) -> Sketch | None:
        if known[place] < 0:
            return None
        part = slice(ends[place] - known[place], ends[place])
        return Sketch(values[part], counts[part], units[place])

    return sketch
