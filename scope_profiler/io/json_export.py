"""Several runs as JSON, a file for each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from .._base.arguments import boolean, file_of, instance
from .._base.shown import shown
from ..results import ProfilingResults
from .json_writer import write_json


def export_json(
    profiling_data: ProfilingResults | Iterable[ProfilingResults],
    filepath: str | os.PathLike[str],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    verbose: bool = True,
    indent: int | str | None = None,
) -> list[Path]:
    """Write one JSON file per run; return their paths.

    profiling_data: One run or several. Those that are not the root of an MPI job are left out.
    filepath: The file; with several runs, their labels are added to its name.
    ranks, include, exclude, indent: See `write_json`.
    verbose: Print the path of each file.

    Raises TypeError or ValueError when there is no run, or when `write_json` does.
    """
    path = file_of("filepath", filepath)
    boolean("verbose", verbose)
    if isinstance(profiling_data, ProfilingResults) or not isinstance(profiling_data, Iterable):
        profiling_data = [profiling_data]
    runs = [*profiling_data]
    if not runs:
        raise ValueError("profiling_data must be one run or several; got none")
    for run in runs:
        instance(ProfilingResults)("profiling_data", run)
    runs = [run for run in runs if run.is_root]
    paths = _paths(path, [run.display_label for run in runs])
    for run, path in zip(runs, paths):
        write_json(run, path, include=include, exclude=exclude, ranks=ranks, indent=indent)
        if verbose:
            print(f"Wrote {shown(path)}")
    return paths


def _paths(path: Path, labels: Sequence[str]) -> list[Path]:
    """A path for each label, all different; the path itself where there is one only."""
    # Of ".json.gz", which Path.suffix would not find.
    stem, dot, extension = path.name.partition(".")
    suffix = f".{extension}" if dot else ".json"
    if len(labels) == 1:
        return [path.with_name(stem + suffix)]
    names: dict[str, None] = {}
    for label in labels:
        slug = re.sub(r"[^\w.+-]+", "_", label).strip("_") or "run"
        name = f"{stem}_{slug}{suffix}"
        number = 2
        while name in names:
            name = f"{stem}_{slug}_{number}{suffix}"
            number += 1
        names[name] = None
    return [path.with_name(name) for name in names]
