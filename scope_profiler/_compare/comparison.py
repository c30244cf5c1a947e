"""Two sides of runs, region by region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np

from ..results import MPIRegion, ProfilingResults
from .change import Change, change_of
from .metrics import METRICS

#: Names are taken for one region's where so much of them is the same.
_ALIKE = 0.6


class Compared(NamedTuple):
    """A region, function or line of both sides.

    name, new_name: what it is called before and after; None where it is not there.
    calls: how many on each side, the mean of its runs.
    """

    name: str | None
    new_name: str | None
    calls: tuple[float, float]
    change: Change

    @property
    def shown_name(self) -> str:
        """Its name, with the new one where it has another."""
        if self.name is None or self.new_name in (None, self.name):
            return self.name or self.new_name or ""
        return f"{self.name} → {self.new_name}"

    def verdict(self, limit: float) -> str:
        """As Change.verdict; "new" and "gone" of what is on one side alone."""
        if self.name is None or self.new_name is None:
            return "new" if self.name is None else "gone"
        return self.change.verdict(limit)


def compare(
    before: Sequence[ProfilingResults],
    after: Sequence[ProfilingResults],
    metric: str = "typical",
    wanted: Callable[[str], bool] = lambda name: True,
    ranks: set[int] | None = None,
    renamed: Mapping[str, str] | None = None,
    guess: bool = False,
) -> list[Compared]:
    """The regions of both sides, each of at least one run; those of the largest change first.

    renamed: {name before: name after}. guess: match others that are on one side alone, by their source
    or a similar name.
    """
    sides = [by_name(side, wanted, ranks) for side in (before, after)]
    found = []
    for old, new in _pairs(sides[0], sides[1], renamed or {}, guess):
        regions = sides[0].get(old or "", []), sides[1].get(new or "", [])
        calls = [_mean_calls(of_side, len(side)) for of_side, side in zip(regions, (before, after))]
        units = [[each for each in map(METRICS[metric].units, of_side) if len(each)]
                 for of_side in regions]
        if units[0] and units[1]:
            change = change_of(units[0], units[1], METRICS[metric].location)
        else:
            change = Change(*(
                float(METRICS[metric].location(np.concatenate(each))) if each else None for each in units))
        found.append(Compared(old, new, (calls[0], calls[1]), change))
    if len(before) == len(after) == 1 and METRICS[metric].is_time:
        found = _less_common(found)
    return sorted(found, key=lambda each: -abs(np.log1p(each.change.change or 0.0)))


def by_name(
    side: Iterable[ProfilingResults], wanted: Callable[[str], bool], ranks: set[int] | None
) -> dict[str, list[MPIRegion]]:
    """The regions of runs that were called on the ranks, by name, each as often as runs have it."""
    found: dict[str, list[MPIRegion]] = {}
    for results in side:
        for region in results:
            if ranks is not None:
                region = MPIRegion(region.name, {rank: region[rank] for rank in region if rank in ranks})
            if wanted(region.name) and region.num_calls:
                found.setdefault(region.name, []).append(region)
    return found


def _mean_calls(regions: Iterable[MPIRegion], runs: int) -> float:
    return sum(region.num_calls for region in regions) / runs


def common_change(found: Iterable[Compared]) -> float:
    """The change that all but a quarter of the regions have come to or passed: those around one that is
    slower are so, too."""
    changes = sorted(np.log1p(each.change.change) for each in found if each.change.change is not None)
    return float(np.expm1(changes[(len(changes) - 1) // 4])) if len(changes) > 2 else 0.0


def _less_common(found: list[Compared]) -> list[Compared]:
    """Of one run on each side it is not known whether what has changed everywhere is the machine, nor
    how runs differ: intervals reach to what a change is more than that of the others."""
    common = 1 + common_change(found)
    slower, faster = max(common, 1.0), min(common, 1.0)
    return [
        each if each.change.low is None or each.change.high is None or each.change.noise is None
        else each._replace(change=each.change._replace(
            low=(1 + each.change.low) / slower - 1,
            high=(1 + each.change.high) / faster - 1,
            noise=(1 + each.change.noise) * slower - 1,
        )) for each in found
    ]


def _pairs(
    before: Mapping[str, list[MPIRegion]], after: Mapping[str, list[MPIRegion]],
    renamed: Mapping[str, str], guess: bool,
) -> list[tuple[str | None, str | None]]:
    pairs: list[tuple[str | None, str | None]] = []
    left, right = dict.fromkeys(before), dict.fromkeys(after)
    same = [(name, name) for name in before if name in after and name not in renamed]
    for old, new in [*renamed.items(), *same]:
        if old in left and new in right:
            del left[old], right[new]
            pairs.append((old, new))
    likely = sorted(((_alike(before[old][0], after[new][0]), old, new) for old in left for new in right),
                    reverse=True) if guess else []
    for alike, old, new in likely:
        if alike >= _ALIKE and old in left and new in right:
            del left[old], right[new]
            pairs.append((old, new))
    return [*pairs, *((old, None) for old in left), *((None, new) for new in right)]


def _alike(old: MPIRegion, new: MPIRegion) -> float:
    """How likely two regions are one: 1 where they have the same source."""
    if old.source_text is not None and old.source_text == new.source_text:
        return 1.0
    at_place = old.has_source and (old.source_file, old.source_lineno) == (new.source_file, new.source_lineno)
    return 0.95 if at_place else SequenceMatcher(None, old.name, new.name, False).ratio()
