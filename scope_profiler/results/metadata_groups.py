"""The calls of a region by what was noted for them: statistics per endpoint, per time step."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from .event_metadata import NOTHING, EventMetadata
from .mpi_region import MPIRegion
from .region import Region

if TYPE_CHECKING:
    from .profiling_results import ProfilingResults

#: Under a key, where an entry does not have it.
NO_VALUE: Any = object()


def metadata_keys(region: MPIRegion) -> list[str]:
    """The keys under which something was noted for calls of the region, sorted."""
    return sorted({key for rank in region for key in _keys(region[rank])})


def _keys(region: Region) -> set[str]:
    known = region.event_metadata
    if not len(known.table):
        return set()
    return {key for row in np.unique(known.ids) if row != NOTHING for key in known.table[row]}


def grouped_by(
    results: ProfilingResults, name: str, key: str, ranks: Iterable[int] | None = None
) -> list[MPIRegion]:
    """The calls of a region as a region for each value that metadata have under `key`, named after
    it, in the order in which they are met; those without come last, as "(no KEY)".

    ranks: Those to look at; None for all.

    Raises KeyError when there is no such region.
    Raises EventDataUnavailableError when of its calls only aggregates were kept.
    """
    region = results[name]
    names: dict[Hashable, str] = {}
    parts: dict[Hashable, dict[int, Region]] = {}
    for rank in region if ranks is None else sorted({*region} & {*ranks}):
        of_rank = region[rank]
        of_rank.require_intervals(name)
        values, of_call = by_value(of_rank.event_metadata, key)
        for group, value in enumerate(values):
            rows = of_call == group
            if rows.any():
                identity = _identity(value)
                names.setdefault(identity, _shown(identity, key))
                parts.setdefault(identity, {})[rank] = of_rank.taken(rows)
    last = [None] if None in parts else []
    return [
        MPIRegion(names[identity], parts[identity])
        for identity in [*(each for each in parts if each is not None), *last]
    ]


def by_value(known: EventMetadata, key: str) -> tuple[list[Any], np.ndarray]:
    """The values that metadata have under a key, `NO_VALUE` the last of them, and int64 [calls], which
    of them each call has."""
    rows: dict[Hashable, int] = {}
    values: list[Any] = []
    groups = []
    for entry in known.table:
        value = entry.get(key, NO_VALUE)
        if value is not NO_VALUE and _identity(value) not in rows:
            rows[_identity(value)] = len(values)
            values.append(value)
        groups.append(-1 if value is NO_VALUE else rows[_identity(value)])
    # The group of each row of the table; that of no row at all comes last, where -1 finds it.
    of_row = np.array([*groups, -1], np.int64)
    of_row[of_row < 0] = len(values)
    return [*values, NO_VALUE], of_row[known.ids]


def later_than(
    regions: Iterable[Region], key: str, count: int
) -> list[np.ndarray]:
    """Of regions of one rank bool [calls] each: whether the call has none of the first `count` values that
    are met under a key on that rank."""
    every = [(region, *by_value(region.event_metadata, key)) for region in regions]
    met: dict[Hashable, int] = {}
    for region, values, of_call in every:
        present, first = np.unique(of_call, return_index=True)
        for group, start in zip(present.tolist(), region.start_times_ns[first].tolist()):
            if values[group] is not NO_VALUE:
                identity = _identity(values[group])
                met[identity] = min(start, met.get(identity, start))
    early = {*sorted(met, key=met.__getitem__)[:count]}
    return [
        np.array([_identity(value) not in early for value in values])[of_call]
        for _, values, of_call in every
    ]


def _identity(value: Any) -> Hashable:
    """What tells values apart; None where there is none."""
    if value is NO_VALUE:
        return None
    return (type(value).__name__, value if isinstance(value, str) else repr(value))


def _shown(identity: Any, key: str) -> str:
    return f"(no {key})" if identity is None else identity[1]
