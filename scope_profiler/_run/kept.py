"""Of which calls start and end are kept: what the settings of a run say, and what has come of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

#: In the order of sp_on_full in src/record/bounds.h.
_ON_FULL = ("ring", "stop", "aggregate")
_RECORD = 16  # bytes of a call in a log


def limits(settings: dict[str, Any]) -> tuple[int, int, int, int]:
    """What the core is told: the last arguments of Manager._begin()."""
    bounds = [settings["max_events"], settings["max_memory"] and settings["max_memory"] // _RECORD]
    limit = min((bound for bound in bounds if bound is not None), default=0)
    on_full = _ON_FULL.index(settings["on_full"])
    return limit, on_full, settings["keep_every"] or 0, settings["keep"] or 0


def is_limited(manager: Any) -> bool:
    """Whether the current run may not keep all."""
    limit, _, keep_every, keep = limits(manager._run._settings)
    return bool(limit or keep_every > 1 or keep or manager._thins)


def facts(
    settings: dict[str, Any], counts: Sequence[int] | None, rows: Iterable[tuple[Any, ...]]
) -> tuple[dict[str, Any], list[tuple[str, int, int]]]:
    """As facts of a Recorded what is not kept, and (name, calls kept, calls) of the regions where not all
    are, those with most calls first. counts: how many are kept, by region, None where they were not
    counted; rows: of regions, as Manager._collect_regions() gives them."""
    if counts is None or settings["aggregation_mode"]:
        return {}, []
    found = [(row[1].name, min(count, row[2]), row[2]) for count, row in zip(counts, rows)]
    found = sorted((one for one in found if one[1] < one[2]), key=lambda one: -one[2])
    known: dict[str, Any] = {"dropped_events": sum(calls - kept for _, kept, calls in found)}
    if limits(settings)[0]:
        known["on_full"] = settings["on_full"]
    return known, found
