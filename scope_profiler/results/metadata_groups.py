"""The calls of a region by what was noted for them: statistics per endpoint, per time step."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from .event_metadata import NOTHING
from .mpi_region import MPIRegion
from .region import Region

if TYPE_CHECKING:
    from .profiling_results import ProfilingResults


def metadata_keys(region: MPIRegion) -> list[str]:
    """The keys under which something was noted for calls of the region, sorted."""
    return sorted({key for rank in region for key in _keys(region[rank])})


def _keys(region: Region) -> set[str]:
    known = region.event_metadata
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
        known = of_rank.event_metadata
        values: dict[Hashable, int] = {}
        # The group of each row of the table; that of no row at all comes last, where -1 finds it.
        groups = np.array(
            [values.setdefault(_identity(entry, key), len(values)) for entry in known.table]
            + [values.setdefault(None, len(values))]
        )
        of_call = groups[known.ids]
        for identity, group in values.items():
            rows = of_call == group
            if rows.any():
                names.setdefault(identity, _shown(identity, key))
                parts.setdefault(identity, {})[rank] = of_rank.taken(rows)
    last = [None] if None in parts else []
    return [
        MPIRegion(names[identity], parts[identity])
        for identity in [*(each for each in parts if each is not None), *last]
    ]


def _identity(entry: Any, key: str) -> Hashable:
    """What tells values apart; None where there is none."""
    if key not in entry:
        return None
    value = entry[key]
    return (type(value).__name__, value if isinstance(value, str) else repr(value))


def _shown(identity: Any, key: str) -> str:
    return f"(no {key})" if identity is None else identity[1]
