"""Which calls were open when a journal ends, as far as those that are over tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .._model.recorded import Node
from . import journal_format as form
from .journal_state import State, paths_of


class OpenCalls:
    """Of a tree: (place above, region) of each place, and the past of each, as NodeItem has it."""

    def __init__(self, paths: Sequence[tuple[int, int]], past: Sequence[int]) -> None:
        self._above = [above for above, _ in paths]
        self._past = past
        #: Where one is open.
        self.places: set[int] = set()
        self._rows = np.empty(0, np.int64)  # the calls that tell it,
        self._around = np.empty(0, np.int64)  # and of which place

    def has_begun(self, place: int) -> None:
        """There was a call at the place, and none is over."""
        if not self._past[place] & form.PASSED:
            self.places.add(place)

    def find(self, node: np.ndarray, rows: np.ndarray) -> None:
        """node: the places of all calls. rows: those that are in no other. What is around them was open when
        they began, and has not ended, where it was a call, no step of one, and nothing outlives it there."""
        around = np.array([self._certain(above) for above in self._above], np.int64)
        places = around[node[rows]] if len(rows) else rows
        self._rows, self._around = rows[places >= 0], places[places >= 0]
        self.places.update(np.unique(self._around).tolist())

    def _certain(self, place: int) -> int:
        """Where a call was open when something began below the place; -1 for none."""
        while place >= 0 and self._past[place]:
            place = -1 if self._past[place] & form.OUTLIVED else self._above[place]
        return place

    def added_to(self, nodes: list[Node], node: np.ndarray, starts: np.ndarray, ends: np.ndarray, until: int,
                 state: State | None) -> list[Node]:
        """The nodes of the places, with what the calls that are open had come to at `until`; at least that,
        where it is not known when one began. All in ns."""
        last = np.zeros(len(nodes), np.int64)
        np.maximum.at(last, node, ends)
        by_place = self._rows[np.argsort(self._around, kind="stable")]  # of a place those that began first
        first, stop = (np.searchsorted(np.sort(self._around), np.arange(len(nodes)), side)
                       for side in ("left", "right"))
        checked = {} if state is None else dict(zip(paths_of(state.nodes), state.nodes))
        inside: dict[int, list[int]] = {}  # when the open calls right below a place began
        for place, path in reversed([*enumerate(paths_of(nodes))]):
            one, known = nodes[place], checked.get(path)
            if self._past[place] & form.PASSED:
                continue
            rows = by_place[first[place] : stop[place]]
            rows = rows[starts[rows] >= last[place]]
            below = [begin for begin in inside.get(place, ()) if begin >= last[place]]
            candidates = [*below, *map(int, starts[rows[:1]])]
            if not one.statistics.num_calls and one.first_ns is not None and place in self.places:
                candidates.append(one.first_ns)
            if (state is not None and known is not None and known.statistics.open_calls == 1
                    and last[place] <= state.taken_ns):
                candidates.append(state.taken_ns - known.statistics.open_total_ns)
            if not candidates:
                continue
            begin = min(*candidates, until)
            inside.setdefault(self._certain(one.parent), []).append(begin)
            total = until - begin
            within = int((ends[rows] - starts[rows]).sum()) + sum(until - one for one in below)
            nodes[place] = replace(one, statistics=replace(
                one.statistics, open_calls=1, open_total_ns=total,
                open_exclusive_ns=max(total - within, 0),
            ))
        self.places = {place for place, one in enumerate(nodes) if one.statistics.open_calls}
        return nodes
