"""Reading from HDF5 what is known without looking at the calls."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from .._base.arguments import rank_set
from ..results import MPIRegion, ProfilingResults
from .unreadable import UnsupportedProfileError
from .hdf5_datasets import Group
from .hdf5_index import Index
from .hdf5_file import opened
from .hdf5_reader import read_hdf5, run_facts
from .hdf5_texts import read_texts
from .region_rows import calls_were_read, regions_of, with_trees


def read_hdf5_summary(
    path: str | os.PathLike[str],
    *,
    fallback: bool = True,
    include_line_profile: bool = True,
    regions: str | Iterable[str] | None = None,
    ranks: int | Iterable[int] | None = None,
    max_bytes: int | None = None,
) -> ProfilingResults:
    """See `scope_profiler.io.read_h5_summary`."""
    try:
        results = opened(
            path, lambda root, schema, file: _read(root, schema, Path(path)), max_bytes
        )
    except _NoSummary:
        if not fallback:
            raise
        results = read_hdf5(path, max_bytes)
    names = {regions} if isinstance(regions, str) else regions if regions is None else set(regions)
    return _selected(results, names, rank_set(ranks), include_line_profile)


class _NoSummary(UnsupportedProfileError):
    """The file has the calls only."""


def _read(file: Group, schema: int, path: Path) -> ProfilingResults:
    index = None
    if schema > 1:
        names = read_texts(file.group("region_table"), "names")
        index = Index(file.group("rank_region_index"), len(names))
    if index is None or not index.has_summaries:
        raise _NoSummary("has no summary, only the calls; read it with read_h5()")
    columns = {**index.facts(range(len(index))), "statistics": index.summaries()}
    rows = [
        (names[number], rank, dict(zip(columns, known)))
        for number, rank, known in zip(index.numbers, index.ranks, zip(*columns.values()), strict=True)
    ]
    facts = {**run_facts(file), "event_data_available": False}
    regions = regions_of(names, with_trees(rows, facts["recorded"]))
    return ProfilingResults(regions, **facts, file_path=path)


def _selected(
    results: ProfilingResults,
    names: Collection[str] | None,
    ranks: Collection[int] | None,
    include_line_profile: bool,
) -> ProfilingResults:
    """Those regions on those ranks; None for all."""
    regions = {
        region.name: MPIRegion(region.name, _of_ranks(region.regions, ranks))
        for region in results
        if names is None or region.name in names
    }
    if names is not None or ranks is not None:
        regions = {name: region for name, region in regions.items() if len(region)}
    return ProfilingResults(
        regions,
        results.metadata,
        num_ranks=results.num_ranks,
        line_profile=_of_ranks(results.line_profile, ranks) if include_line_profile else None,
        file_path=results.file_path,
        event_data_available=calls_were_read(results),
        threads=_of_ranks(results.threads, ranks),
        tasks=_of_ranks(results.tasks, ranks),
        recorded={
            rank: tree if names is None else tree.only(names.__contains__)
            for rank, tree in _of_ranks(results.recorded, ranks).items()
        },
    )


def _of_ranks(by_rank: Mapping[int, Any], ranks: Collection[int] | None) -> dict[int, Any]:
    return {rank: value for rank, value in by_rank.items() if ranks is None or rank in ranks}
