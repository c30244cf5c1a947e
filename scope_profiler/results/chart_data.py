"""`ChartData`: what a chart shows, as columns; and of which runs, regions and ranks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from .._base.arguments import rank_set, strings

if TYPE_CHECKING:
    from .mpi_region import MPIRegion
    from .profiling_results import ProfilingResults


@dataclass(frozen=True)
class ChartData:
    """The points, bars or calls of a chart: columns of equal length, by name.

    kind: Of the chart, as `scope-profiler plot` names it.
    unit_name: What a row is: "points", "bars", "intervals", "calls", "bins", "regions" or "edges".
    columns: Lists or arrays. Times are seconds.
    facts: What holds for all rows.
    """

    kind: str
    unit_name: str
    columns: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, column: str) -> Any:
        return self.columns[column]

    def rows(self) -> Iterator[dict[str, Any]]:
        """A dict for each row, its values plain Python."""
        plain = [
            column.tolist() if isinstance(column, np.ndarray) else column
            for column in self.columns.values()
        ]
        for values in zip(*plain):
            yield dict(zip(self.columns, values))

    def where(self, column: str, value: Any) -> dict[str, Any]:
        """The columns of the rows that have this value there, as arrays."""
        chosen = np.asarray(self.columns[column]) == value
        return {name: np.asarray(values)[chosen] for name, values in self.columns.items()}


def table(kind: str, unit_name: str, names: str, rows: Iterable[Sequence[Any]], **facts: Any) -> ChartData:
    """Chart data of rows. names: Of the columns, in the order of the values."""
    columns = list(zip(*rows)) or [()] * len(names.split())
    return ChartData(kind, unit_name, dict(zip(names.split(), map(list, columns))), facts)


def runs_of(
    profiling_data: Any, labels: Sequence[str] | None = None
) -> dict[str, ProfilingResults]:
    """The runs by label: that of the run, with a number where several have the same.

    profiling_data: One `ProfilingResults`, or several.

    Raises TypeError or ValueError when there is something else, or not as many labels as runs.
    """
    from .profiling_results import ProfilingResults

    runs = [profiling_data] if isinstance(profiling_data, ProfilingResults) else profiling_data
    if isinstance(runs, (str, bytes, Mapping)) or not isinstance(runs, Iterable):
        raise TypeError(f"profiling_data must be ProfilingResults, one or several; got {profiling_data!r}")
    runs = list(runs)
    for run in runs:
        if not isinstance(run, ProfilingResults):
            raise TypeError(f"profiling_data must be ProfilingResults, one or several; got {run!r}")
    if not runs:
        raise ValueError("profiling_data must have at least one run; got none")
    if labels is None:
        labels = [run.display_label or "run" for run in runs]
    elif len(labels := strings("labels", labels)) != len(runs):
        raise ValueError(f"labels must be one for each of the {len(runs)} runs; got {len(labels)}")
    times: Counter[str] = Counter()
    found = {}
    for label, run in zip(labels, runs):
        times[label] += 1
        found[label if times[label] == 1 else f"{label} ({times[label]})"] = run
    return found


def chosen_regions(
    runs: Mapping[str, ProfilingResults],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
) -> dict[str, list[MPIRegion]]:
    """By run, the regions with a call on the ranks, those that begin first first; of these ranks alone.

    Raises ValueError when a rank is in no run, or when no region is left.
    """
    from .mpi_region import MPIRegion

    wanted = rank_set(ranks)
    known = {rank for run in runs.values() for region in run for rank in region.ranks}
    if wanted is not None and not wanted <= known:
        missing = ", ".join(map(str, sorted(wanted - known)))
        has = ", ".join(map(str, sorted(known))) or "none"
        raise ValueError(f"ranks must be among those of the runs ({has}); got {missing}")
    found = {}
    for label, run in runs.items():
        regions = []
        for region in run.get_regions(include, exclude):
            kept = {
                rank: region[rank] for rank in region.ranks
                if region[rank].num_calls and (wanted is None or rank in wanted)
            }
            if kept:
                regions.append(region if len(kept) == len(region) else MPIRegion(region.name, kept))
        found[label] = regions
    if not any(found.values()):
        names = list(dict.fromkeys(name for run in runs.values() for name in run.region_names))
        if include:  # the most alike first
            [asked, *_] = strings("include", include)
            names = list(dict.fromkeys([*get_close_matches(asked, names, 5), *names]))
        has = ", ".join(map(repr, names[:10])) + (", …" if len(names) > 10 else "")
        raise ValueError(f"no region that was called matches; there are {has or 'none'}")
    return found


def region_names(regions: Mapping[str, Sequence[MPIRegion]]) -> list[str]:
    """The names of the regions of all runs, those of the first run first."""
    return list(dict.fromkeys(one.name for of_run in regions.values() for one in of_run))
