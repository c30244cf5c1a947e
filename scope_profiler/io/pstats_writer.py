"""Files (.prof) that pstats, snakeviz and others read: the functions of a run, as cProfile has them."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable
from os import PathLike
from typing import TypeAlias

from .._model.recorded import Node
from .safe_file import replacing

#: (file, first line, name) of a function.
_Key: TypeAlias = tuple[str, int, str]


def write_pstats(
    path: str | PathLike[str], nodes: Iterable[Node], place: Callable[[str], tuple[str | None, int]]
) -> None:
    """Write the tree of a rank: of each function how often it was called and by whom, its own time and
    that with what it calls.

    nodes: parents before children, regions named "module.function". place: the file and first line
    of the region of a name; None when it has none. Calls that are open count with what they have come
    to. In a recursion all calls count as primitive: how many of them were outermost is not known.

    Raises OSError when it cannot be written; the file that was there stays then.
    """
    with replacing(path) as file:
        file.write(marshal.dumps(_functions(nodes, place)))


def _functions(
    nodes: Iterable[Node], place: Callable[[str], tuple[str | None, int]]
) -> dict[_Key, tuple[int, int, float, float, dict[_Key, tuple[int, int, float, float]]]]:
    keys: list[_Key] = []
    sums: dict[_Key, list[float]] = {}
    callers: dict[_Key, dict[_Key, list[float]]] = {}
    for node in nodes:
        file, line = place(node.name)
        key = (file, line, node.name.rpartition(".")[2]) if file else ("~", 0, node.name)
        keys.append(key)
        statistics = node.statistics
        values = (
            statistics.num_calls + statistics.open_calls,
            (statistics.exclusive_ns + statistics.open_exclusive_ns) / 1e9,
            (statistics.total_ns + statistics.open_total_ns) / 1e9,
        )
        _add(sums.setdefault(key, [0, 0, 0]), values)
        called_by = callers.setdefault(key, {})
        if node.parent >= 0:
            _add(called_by.setdefault(keys[node.parent], [0, 0, 0]), values)
    return {
        key: (*_row(sums[key]), {caller: _row(row) for caller, row in callers[key].items()})
        for key in sums
    }


def _add(sums: list[float], values: Iterable[float]) -> None:
    for at, value in enumerate(values):
        sums[at] += value


def _row(sums: list[float]) -> tuple[int, int, float, float]:
    calls, own, total = sums
    return int(calls), int(calls), own, total
