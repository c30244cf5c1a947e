"""Several runs as JSON, a file for each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from .._base.arguments import boolean, file_of, instance
from .._base.file_names import all_different, format_of, in_a_name, split
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

    def write(run: ProfilingResults, path: Path) -> list[Path]:
        return [write_json(run, path, include=include, exclude=exclude, ranks=ranks, indent=indent)]

    return write_each(profiling_data, filepath, ".json", write, verbose)


def write_each(
    profiling_data: ProfilingResults | Iterable[ProfilingResults],
    filepath: str | os.PathLike[str],
    suffix: str,
    write: Callable[[ProfilingResults, Path], list[Path]],
    verbose: bool,
) -> list[Path]:
    """Have each run written to a file, and return the paths of what was written.

    suffix: Of names that have none. For the rest see `export_json`.
    """
    path = file_of("filepath", filepath)
    boolean("verbose", verbose)
    paths = []
    runs = runs_of(profiling_data)
    for run, of_run in zip(runs, _paths(path, [run.display_label for run in runs], suffix)):
        for done in write(run, of_run):
            paths.append(done)
            if verbose:
                print(f"Wrote {shown(done)}")
    return paths


def runs_of(profiling_data: ProfilingResults | Iterable[ProfilingResults]) -> list[ProfilingResults]:
    """One run or several, without those that are not the root of an MPI job.

    Raises TypeError or ValueError where it is none.
    """
    if isinstance(profiling_data, ProfilingResults) or not isinstance(profiling_data, Iterable):
        profiling_data = [profiling_data]
    runs = [*profiling_data]
    if not runs:
        raise ValueError("profiling_data must be one run or several; got none")
    for run in runs:
        instance(ProfilingResults)("profiling_data", run)
    return [run for run in runs if run.is_root]


def _paths(path: Path, labels: Sequence[str], suffix: str) -> list[Path]:
    """A path for each label, all different; the path itself where there is one only."""
    stem, own = split(path.name)
    suffix = own or ("" if format_of(path) else suffix)
    if len(labels) == 1:
        return [path.with_name(stem + suffix)]
    stems = all_different(f"{stem}_{in_a_name(label)}" for label in labels)
    return [path.with_name(name + suffix) for name in stems]
