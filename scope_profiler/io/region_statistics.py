"""What there is to tell of one run or several, as plain values: `collect_region_statistics`, which
`write_region_statistics_json` writes to a file, and `collect_file_metadata`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .._base.arguments import file_named, instance, rank_set, text_or_none
from . import load, replacing
from ..results import MPIRegion, ProfilingResults, Region

#: Of a region, in seconds; None where it was never called.
_DURATIONS = ("average", "min", "max", "first", "last", "std", "total")


def collect_region_statistics(
    profiling_data: ProfilingResults | Sequence[ProfilingResults],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    labels: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The aggregates of regions, over all ranks and for each.

    profiling_data: One run or several. Those that are not root are left out.
    ranks: The ranks to look at, one or several; None for all.
    include, exclude: Regular expressions, one or several, that the names of regions match; see
        `ProfilingResults.get_regions`.
    labels: A name for each run; None for their labels.

    Returns dict: ``units``; ``filters``; ``common_regions``, the names that all runs have;
    ``files``, a dict for each run with ``label``, ``file_path``, ``num_ranks``,
    ``total_time_seconds`` and ``region_statistics``: by name ``count``,
    ``average_duration_seconds`` and likewise min, max, first, last, std and total (None without a
    call), and ``per_rank``, the same by rank (str).

    Raises TypeError when there is something else than `ProfilingResults`.
    Raises ValueError when there is no run, or not one label for each.
    """
    if isinstance(profiling_data, ProfilingResults):
        profiling_data = [profiling_data]
    if isinstance(profiling_data, (str, bytes)) or not isinstance(profiling_data, Iterable):
        instance(ProfilingResults)("profiling_data", profiling_data)
    runs = list(profiling_data)
    for results in runs:
        instance(ProfilingResults)("profiling_data", results)
    runs = [results for results in runs if results.is_root]
    if not runs:
        raise ValueError("profiling_data must be one run or several; got none")
    chosen = rank_set(ranks)
    files: list[dict[str, Any]] = [
        {
            "label": label,
            "file_path": _path_of(results),
            "num_ranks": results.num_ranks,
            "total_time_seconds": results.total_time,
            "region_statistics": {
                region.name: _of_region(region, chosen)
                for region in results.get_regions(include, exclude)
            },
        }
        for results, label in zip(runs, _labels(runs, labels))
    ]
    return {
        "units": {"durations": "seconds"},
        "filters": {
            "include": _plain(include),
            "exclude": _plain(exclude),
            "ranks": None if chosen is None else sorted(chosen),
        },
        "common_regions": [
            name
            for name in files[0]["region_statistics"]
            if all(name in file["region_statistics"] for file in files)
        ],
        "files": files,
    }


def write_region_statistics_json(
    profiling_data: ProfilingResults | Sequence[ProfilingResults],
    filepath: str | os.PathLike[str],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    labels: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Write what `collect_region_statistics` gives to a file in JSON, and return it.

    `filepath` is the file, in ``.json``; folders that it is in are made. The
    other parameters, and what is raised besides OSError, are as there.
    """
    path = file_named("filepath", filepath, ".json")
    statistics = collect_region_statistics(profiling_data, ranks, include, exclude, labels)
    document = {
        "format": "scope-profiler-plot-data",
        "format_version": 1,
        "plot": "region_statistics",
        **statistics,
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write((json.dumps(document, indent=2) + "\n").encode("ascii"))
    return statistics


def collect_file_metadata(
    profiling_data: ProfilingResults | str | os.PathLike[str] | Sequence[Any],
) -> dict[str, Any]:
    """The metadata of one run or several, each as results or the path of a file.

    Returns a dict with ``files``: for each ``file_path``, ``num_ranks`` and
    ``metadata``. Raises as `load` does, and TypeError for something else.
    """
    if isinstance(profiling_data, (ProfilingResults, str, os.PathLike)):
        profiling_data = [profiling_data]
    if not isinstance(profiling_data, Iterable):
        instance(ProfilingResults)("profiling_data", profiling_data)
    runs = [load(run) if isinstance(run, (str, os.PathLike)) else run for run in profiling_data]
    for results in runs:
        instance(ProfilingResults)("profiling_data", results)
    return {
        "files": [
            {"file_path": _path_of(run), "num_ranks": run.num_ranks, "metadata": run.metadata}
            for run in runs
        ]
    }


def _path_of(results: ProfilingResults) -> str | None:
    return None if results.file_path is None else os.path.abspath(results.file_path)


def _of_region(region: MPIRegion, ranks: set[int] | None) -> dict[str, Any]:
    by_rank = {rank: region[rank] for rank in region if ranks is None or rank in ranks}
    return {
        **_of(MPIRegion(region.name, by_rank)),
        "per_rank": {str(rank): _of(of_rank) for rank, of_rank in by_rank.items()},
    }


def _of(region: MPIRegion | Region) -> dict[str, Any]:
    called = region.num_calls > 0
    return {
        "count": region.num_calls,
        **{
            f"{name}_duration_seconds": getattr(region, f"{name}_duration") if called else None
            for name in _DURATIONS
        },
    }


def _labels(runs: Sequence[ProfilingResults], labels: Sequence[str] | None) -> list[str]:
    """A label for each run; those that were not given are all different."""
    if labels is not None:
        if isinstance(labels, str) or len(labels) != len(runs):
            raise ValueError(
                f"labels must be a name for each of the {len(runs)} runs; got {labels!r}"
            )
        return [text_or_none("labels", label) or "" for label in labels]
    used: dict[str, int] = {}
    for results in runs:
        label, number = results.display_label, 1
        while label in used:
            number += 1
            label = f"{results.display_label} ({number})"
        used[label] = number
    return list(used)


def _plain(patterns: Any) -> Any:
    return patterns if patterns is None or isinstance(patterns, str) else list(patterns)
