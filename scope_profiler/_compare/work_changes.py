"""The rates of work of two sides of runs, region by region: more is better."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ..results import ProfilingResults
from .change import Change, change_of
from .comparison import Compared, by_name

_TURNED = {"slower": "faster", "faster": "slower"}


class WorkChange(NamedTuple):
    """What has become of a rate. amounts: What was added before and after, the mean of the runs; None where
    it was nothing. change: Of the rate, the median of the runs."""

    name: str
    quantity: str
    amounts: tuple[float | None, float | None]
    change: Change

    def verdict(self, limit: float) -> str:
        """As `Change.verdict`: "slower" where the rate has become less."""
        found = self.change.verdict(limit)
        return _TURNED.get(found, found)


def work_changes(
    found: Iterable[Compared], before: Sequence[ProfilingResults], after: Sequence[ProfilingResults],
    ranks: set[int] | None = None,
) -> list[WorkChange]:
    """Of regions that were compared those that did work, in the same order, for each quantity."""
    sides = [by_name(side, lambda name: True, ranks) for side in (before, after)]
    changes = []
    for each in found:
        regions = [side.get(name or "", []) for side, name in zip(sides, (each.name, each.new_name))]
        for quantity in dict.fromkeys(name for side in regions for one in side for name in one.work or ()):
            amounts, rates = ([
                [float(known[quantity]) for one in side if quantity in (known := getattr(one, which) or {})]
                for side in regions] for which in ("work", "work_rates"))
            changes.append(WorkChange(
                each.shown_name, quantity, (_mean(amounts[0]), _mean(amounts[1])), _change(*rates)))
    return changes


def _change(before: Sequence[float], after: Sequence[float]) -> Change:
    if not before or not after:
        return Change(*(float(np.median(side)) if side else None for side in (before, after)))
    return change_of([np.array([rate]) for rate in before], [np.array([rate]) for rate in after],
                     lambda units: np.median(units, axis=-1))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
