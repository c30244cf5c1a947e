"""`load_processes`: the files of all processes of a program, as one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..processes import beside
from ..shown import shown
from ..warning import warn
from .arguments import check_switches, file_of
from .formats import load, metadata_of

if TYPE_CHECKING:
    from ..results import ProfilingResults


def load_processes(path: str | os.PathLike[str], verbose: bool = False) -> ProfilingResults:
    """The results of a program with all its child processes, each process as a rank.

    Children of a program, forked or started by multiprocessing, write beside
    the file of its main process, by names with the number of the process:
    ``run.4711.h5`` beside ``run.h5``. Rank 0 is the main process; the others
    follow in the order in which they began to record. Files of earlier runs
    that lie there are left alone. Where the main process wrote no file, those
    of the children are taken that belong with the one that began last.

    Parameters
    ----------
    path
        The file of the main process, in HDF5 or JSON.
    verbose
        Print which files were taken, and which were not.

    Returns
    -------
    ProfilingResults
        Its metadata are those of the main process, and the lists
        ``process_ids`` and ``process_names`` (str, by rank).

    Raises
    ------
    FileNotFoundError
        When there is neither that file nor one of a child.
    CorruptProfileError, JSONProfileError, UnsupportedProfileError
        As `load` does. Of a file that merely has the name of a child's there
        is a warning instead.
    """
    path = file_of("path", path)
    check_switches(verbose=verbose)
    found = dict(_found_beside(path))
    main = metadata_of(path) if path.exists() or not found else None
    chosen = _children_of(main, found)
    files = [*([path] if main is not None else []), *chosen]

    from ..results import merge_processes

    results = merge_processes([load(file) for file in files])
    if verbose:
        for rank, file in enumerate(files):
            process = shown(results.metadata["process_ids"][rank])
            print(f"{shown(file)}: process {process}, rank {rank}")
        for file in sorted(found.keys() - {*files}):
            print(f"{shown(file)}: left out, it is of another run")
    return results


def _found_beside(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The files that have names of children's, and their metadata."""
    for file in map(Path, beside(path)):
        try:
            yield file, metadata_of(file)
        except (OSError, ValueError) as error:
            warn(f"load_processes left out {file}: {error}")


def _children_of(main: dict[str, Any] | None, found: dict[Path, dict[str, Any]]) -> list[Path]:
    """Those of the run of the main process, by their start; without that, those that belong with
    the last."""
    if main is None:
        last = max(found.values(), key=lambda facts: str(facts.get("timestamp", "")))
        main = {"program_id": last.get("program_id")}
    program, start = main.get("program_id"), main.get("start_time_ns", 0)
    begun = {
        file: facts.get("start_time_ns", 0)
        for file, facts in found.items()
        if program is not None and facts.get("program_id") == program
    }
    return [file for file in sorted(begun, key=begun.__getitem__) if begun[file] >= start]
