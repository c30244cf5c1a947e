"""`StoredRegions`: the regions of a file with very many, each made when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from .._base.on_demand import OnDemand
from .._model.recorded import Recorded
from .mpi_region import MPIRegion
from .rank_regions import RankRegions
from .region import Region
from .stored_column import StoredColumn


class StoredRegions(Mapping[str, MPIRegion]):
    """Regions by name, of which there is a row for each rank.

    names: Of all regions, each once.
    numbers, ranks: Of each row the region, as its place in `names`, and the rank; each pair once.
    make: Gives the regions of rows, new ones. Who makes this has checked that it raises nothing.
    recorded: The trees of the ranks.
    """

    def __init__(
        self,
        names: Sequence[str],
        numbers: Sequence[int],
        ranks: Sequence[int],
        make: Callable[[Sequence[int]], Iterator[Region]],
        recorded: Mapping[int, Recorded],
    ) -> None:
        self._places = {name: place for place, name in enumerate(names)}
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
            together[rank] = RankRegions(_detached(make, rows), partial(recorded.get, rank))
        places = in_rank.tolist()

        def made(wanted: Sequence[int]) -> Iterator[MPIRegion]:
            rows = [of_regions[begins[place] : begins[place + 1]] for place in wanted]
            all_made = make([*chain.from_iterable(rows)])
            for place, of_region in zip(wanted, rows):
                regions = {}
                for row, region in zip(of_region, all_made):
                    region._in_rank = together[ranks[row]], places[row]
                    regions[ranks[row]] = region
                yield MPIRegion._of_sorted(names[place], regions)

        self._made = OnDemand(len(names), made)

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


def _detached(make: Callable[[Sequence[int]], Iterator[Region]], rows: np.ndarray) -> OnDemand[Region]:
    """Others than those of `StoredRegions`, which know each other: no cycle keeps a file open."""
    return OnDemand(len(rows), lambda places: make(rows[places].tolist()))


def region_of_checked(
    starts: np.ndarray | StoredColumn, durations: np.ndarray | StoredColumn, columns: dict[str, Any],
    event_metadata: Any, facts: Mapping[str, Any],
) -> Region:
    """What `Region` makes of arguments that were checked already, or are the recorder's; in the form in which
    it keeps them."""
    region = object.__new__(Region)
    # One by one: so all regions share the keys of their attributes.
    region._stored_starts, region._stored_durations, region._columns = starts, durations, columns
    statistics = region._statistics = facts["statistics"]
    region._num_calls = len(starts) if statistics is None else int(statistics["count"])
    region._event_metadata = event_metadata
    region._in_rank = region._taken_from = None
    region._sketch, region._work = facts["sketch"], facts["work"]
    region._throttled_calls = facts["throttled_calls"]
    region._exclusive, region._inclusive = facts["exclusive_total_ns"], facts["inclusive_total_ns"]
    region._corrected_exclusive = facts["corrected_exclusive_ns"]
    region._corrected_total = facts["corrected_total_ns"]
    region._errors, region._of_calls = facts["errors"], facts["of_calls"]
    region._tags = tuple(facts["tags"])
    region._source_file, region._source_lineno = facts["source_file"] or None, facts["source_lineno"]
    region._source_text = facts["source_text"] or None
    return region
