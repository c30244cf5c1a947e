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
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._model.counter_values import by_counter
from .._model.node_table import NODE, STATISTICS, UNKNOWN, NodeTable
from .._model.recorded import Recorded
from .._model.samples import Samples
from .._model.sketch import Sketches
from .._model.statistics import LONGEST_NS

#: What a file without the column stands for, where that is known: it is from before there were such.
_ABSENT = {"throttled_calls": 0}

WORK = np.dtype([("node", "<i8"), ("quantity", "<i8"), ("amount", "<f8")])

COUNTER = np.dtype(
    [("rank", "<i8"), ("counter", "<i8"), ("thread", "<i8"), ("time_ns", "<i8"), ("value", "<f8")]
)


def tables_of(recorded: Mapping[int, Recorded]) -> dict[str, Any]:
    """The tables: `names`, `facts`, `samples`, `quantities` and `counter_names` lists of str, the others
    arrays."""
    nodes = [NodeTable.of(tree.nodes) for tree in recorded.values()]
    rows = np.concatenate([np.empty(0, NODE), *(table.rows for table in nodes)])
    rows["rank"] = np.repeat([*recorded], [*map(len, nodes)])
    values, counts = zip((np.empty(0), np.empty(0, np.int64)), *(table.sketches() for table in nodes))
    return {
        "names": [name for table in nodes for name in table.names],
        "nodes": rows,
        "sketch_values": np.concatenate(values),
        "sketch_counts": np.concatenate(counts),
        "facts": [
            json.dumps({**tree.facts, "rank": rank, "wall_ns": tree.wall_ns})
            for rank, tree in recorded.items()
        ],
        "samples": [
            json.dumps({**tree.samples.columns(), "rank": rank})
            for rank, tree in recorded.items() if tree.samples is not None
        ],
        **_work([work for table in nodes for work in table.worked()]),
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


def _work(worked: list[dict[str, float] | None]) -> dict[str, Any]:
    numbers: dict[str, int] = {}
    rows = [
        (place, numbers.setdefault(quantity, len(numbers)), amount)
        for place, work in enumerate(worked) if work is not None
        for quantity, amount in work.items()
    ]
    return {"quantities": [*numbers], "work": np.array(rows, WORK)} if rows else {}


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
    sketches = Sketches(rows["sketch"], rows["unit"], tables["sketch_values"], tables["sketch_counts"])
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
        nodes = NodeTable(tables["names"], rows, places.get(rank, none), sketches, worked)
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
        elif name in STATISTICS:
            rows[name] = _ABSENT.get(name, UNKNOWN)
        else:
            raise ValueError(f"nodes have no column {name!r}")
    return rows


def _works(tables: Mapping[str, Any]) -> dict[int, dict[str, float]]:
    """By the number of the node."""
    found: dict[int, dict[str, float]] = {}
    names = tables.get("quantities", [])
    for node, quantity, amount in tables.get("work", np.empty(0, WORK)).tolist():
        if not 0 <= quantity < len(names) or not math.isfinite(amount):
            raise ValueError(f"node {node} has {amount} of quantity {quantity}, of {len(names)}")
        found.setdefault(node, {})[names[quantity]] = amount
    return found
