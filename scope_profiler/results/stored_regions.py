"""`StoredRegions`: the regions of a file with very many, each made when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from .._base.on_demand import OnDemand
from .._model.recorded import Recorded
from .mpi_region import MPIRegion
from .rank_regions import RankRegions
from .region import Region


class StoredRegions(Mapping[str, MPIRegion]):
    """Regions by name, of which there is a row for each rank.

    names: Of all regions, each once.
    numbers, ranks: Of each row the region, as its place in `names`, and the rank; each pair once.
    make: Gives the region of a row. Who makes this has checked that it raises nothing.
    recorded: The trees of the ranks.
    """

    def __init__(
        self,
        names: Sequence[str],
        numbers: Sequence[int],
        ranks: Sequence[int],
        make: Callable[[int], Region],
        recorded: Mapping[int, Recorded],
    ) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        alone = OnDemand(len(numbers), make)

        # The rows of each region lie together, and its ranks ascend.
        order = np.lexsort((ranks, numbers))
        begins = np.searchsorted(np.sort(numbers), np.arange(len(names) + 1)).tolist()
        of_regions = order.tolist()

        # The regions of a rank are in the order of their names.
        order = np.lexsort((numbers, ranks))
        known, firsts = np.unique(np.sort(ranks), return_index=True)
        in_rank = np.empty(len(numbers), np.int64)
        together = {}
        for rank, rows in zip(known.tolist(), np.split(order, firsts[1:])):
            in_rank[rows] = np.arange(len(rows))
            together[rank] = RankRegions(_taken(alone, rows), partial(recorded.get, rank))

        def attached(place: int) -> MPIRegion:
            rows = {ranks[row]: row for row in of_regions[begins[place] : begins[place + 1]]}
            region = MPIRegion(names[place], {rank: alone[row] for rank, row in rows.items()})
            return region.attached(
                {rank: (together[rank], int(in_rank[row])) for rank, row in rows.items()}, {})

        self._made = OnDemand(len(names), attached)

    def __getitem__(self, name: str) -> MPIRegion:
        return self._made[self._places[name]]

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def values(self) -> OnDemand[MPIRegion]:  # type: ignore[override]
        """The regions."""
        return self._made

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, ([(region.name, region) for region in self._made],)


def _taken(regions: Sequence[Region], rows: np.ndarray) -> OnDemand[Region]:
    return OnDemand(len(rows), lambda place: regions[int(rows[place])])
