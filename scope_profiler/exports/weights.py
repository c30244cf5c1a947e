"""Trees as they are drawn: how wide each node is, and in which order they come."""

from __future__ import annotations

from collections.abc import Sequence

from .._model.recorded import Node
from ..results.functions import sums_of


def weights_of(nodes: Sequence[Node]) -> list[int]:
    """Of each node its own time and the weights of those below it, ns.

    That is its total, but for what ran below it at the same time, as tasks do. nodes: parents first.
    """
    return with_those_below([sums_of(node).own_ns for node in nodes], [node.parent for node in nodes])


def with_those_below(own_ns: Sequence[int | None], parents: Sequence[int]) -> list[int]:
    """The same of own times and the places of parents, which are before what is below them; -1 for none."""
    weights = [max(own or 0, 0) for own in own_ns]
    for place in range(len(weights) - 1, -1, -1):
        if parents[place] >= 0:
            weights[parents[place]] += weights[place]
    return weights


def preorder(nodes: Sequence[Node]) -> list[int]:
    """The places of the nodes, each followed by those below it. nodes: parents first."""
    below: list[list[int]] = [[] for _ in range(len(nodes) + 1)]
    for place in range(len(nodes) - 1, -1, -1):
        below[nodes[place].parent].append(place)  # the last is for roots
    order = []
    ahead = below[-1]
    while ahead:
        place = ahead.pop()
        order.append(place)
        ahead.extend(below[place])
    return order
