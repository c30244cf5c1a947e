"""The rows of a large tree that a table shows, for which no others are made."""

from dataclasses import replace

import numpy as np

from .._model.node_table import NodeTable
from .._model.recorded import OTHER_PATHS
from .region_table import LEAST_SHARE, LONG, Totals, so_many
from .rows import in_order, tree_rows
from .table_columns import SORT_KEYS


def rows_worth_showing(recorded, wall_ns):
    """Of the tree of one rank, {rank: Recorded}: those of most time and what they are below, in order, and
    the Totals of all. None where the tree is not a large one that was recorded."""
    [(rank, tree)] = recorded.items()
    nodes = tree.nodes
    if not isinstance(nodes, NodeTable) or len(nodes) <= LONG:
        return None
    table = nodes.rows
    times, parents = table["total_ns"] + table["open_total_ns"], table["parent"].tolist()
    number = so_many(int(np.count_nonzero(times >= LEAST_SHARE * wall_ns)))
    chosen = set()
    for place in np.argsort(-times, kind="stable")[:number].tolist():
        while place >= 0 and place not in chosen:
            chosen.add(place)
            place = parents[place]
    places = sorted(chosen)
    numbers = {place: at for at, place in enumerate(places)}
    few = [replace(node, parent=numbers.get(node.parent, -1)) for node in nodes.several(places)]
    rows = in_order(tree_rows({rank: replace(tree, nodes=few)}), SORT_KEYS["total"])
    return rows, Totals(len(nodes), len(nodes.by_name), int(table["num_calls"].sum()),
                        OTHER_PATHS in nodes.by_name)
