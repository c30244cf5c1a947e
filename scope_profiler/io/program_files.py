"""`load`, and `load_processes`: the files of all processes of a program, as one."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._base.arguments import boolean, file_of
from .._base.file_names import beside, children_of
from .._base.shown import shown
from .._base.warning import warn
from .allowance import check_max_bytes
from .formats import load_file, metadata_of

if TYPE_CHECKING:
    from ..results import ProfilingResults


#: A path, or several.
_Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def load(
    path: str | os.PathLike[str], verbose: bool = False, *, max_bytes: int | None = None
) -> ProfilingResults:
    """The results in a file, whose contents decide on the format.

    path: A file in HDF5 or JSON, the latter compressed or not; a folder in Parquet, or the file of one
        rank in it; a trace of native code (``.spt``); the journal of a run that was killed or goes on:
        what is missing of it is in the metadata of the results, as ``missing``. A pattern, as
        ``"run*.h5"``, where there is no file of that name, means all that match, each a process with
        ranks of its own: see `load_processes`.
    verbose: Print how many regions, ranks and calls there are.
    max_bytes: How many bytes of memory what the file holds may take, estimated from the lengths in
        it before memory is taken: a damaged or crafted file may unpack to a thousand times its
        size. None for 256 MiB and 64 times the size of the file.

    Raises FileNotFoundError, IsADirectoryError or PermissionError when there is no such file to
    read.
    Raises CorruptProfileError or JSONProfileError when it holds no results, or takes more than
    `max_bytes`, naming the path and what is wrong.
    Raises UnsupportedProfileError when a later version wrote it, or it has a format that cannot be
    read.
    """
    if _is_pattern(path):
        check_max_bytes(max_bytes)
        return load_processes(path, verbose)
    return load_file(path, verbose, max_bytes=max_bytes)


def load_processes(path: _Paths, verbose: bool = False) -> ProfilingResults:
    """The results of a program with all its child processes, each process as a rank.

    Children of a program, forked or started by multiprocessing, write beside the file of its main
    process, by names with the number of the process: ``run.4711.h5`` beside ``run.h5``. Rank 0 is
    the main process; the others follow in the order in which they began to record. Files of earlier
    runs that lie there are left alone. Where the main process wrote no file, those of the children
    are taken that belong with the one that began last. Ranks of a job, each with its own children,
    are found by their names too: ``run.rank1.h5`` beside ``run.h5``. A run with follow_children has its
    children in its own file already; those that ended after it are found where they left their results.

    Files of processes that have nothing else in common are given as a pattern
    or a list, of which all are taken: each a rank, in the order in which they
    began, or as its launcher numbered them.

    path: The file of the main process, in HDF5 or JSON; or a pattern, as ``"run*.h5"``, where there
        is no file of that name; or several paths.
    verbose: Print which files were taken, and which were not.

    Returns ProfilingResults: Its metadata are those of the main process, and the lists
    ``process_ids`` and ``process_names`` (str, by rank).

    Raises FileNotFoundError when there is neither that file nor one of a child, or no file that the
    pattern matches.
    Raises ValueError when there are no paths.
    Raises CorruptProfileError, JSONProfileError or UnsupportedProfileError as `load` does. Of a
    file that merely has the name of a child's there is a warning instead.
    """
    boolean("verbose", verbose)
    found: dict[Path, dict[str, Any]] = {}
    several = _several(path)
    if several is None:
        path = file_of("path", path)
        found = dict(_found_beside(path))
        main = metadata_of(path) if path.exists() or not found else None
        files = [*([path] if main is not None else []), *_children_of(main, found)]
    else:
        begun = {file: str(metadata_of(file).get("timestamp", "")) for file in several}
        files = sorted(begun, key=begun.__getitem__)

    from ..results import merge_processes

    results = merge_processes([load_file(file) for file in files])
    if verbose:
        for rank, file in enumerate(files):
            process = shown(results.metadata["process_ids"][rank])
            print(f"{shown(file)}: process {process}, rank {rank}")
        for file in sorted(found.keys() - {*files}):
            print(f"{shown(file)}: left out, it is of another run")
    return results


def _found_beside(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The files that have names of children's, and their metadata."""
    folder = Path(children_of(path))
    followed = sorted(folder.iterdir()) if folder.is_dir() else []
    for file in [*map(Path, beside(path)), *followed]:
        try:
            yield file, metadata_of(file)
        except (OSError, ValueError) as error:
            warn(f"load_processes left out {file}: {error}")


def _several(path: Any) -> list[Path] | None:
    """The files of a list or pattern; None for the path of one."""
    if isinstance(path, Iterable) and not isinstance(path, (str, bytes, os.PathLike)):
        files = [file_of("path", one) for one in path]
        if not files:
            raise ValueError("path takes at least one path, got none")
        return files
    if _is_pattern(path):
        matched = [Path(one) for one in sorted(glob.glob(path))]
        if not matched:
            raise FileNotFoundError(errno.ENOENT, "no file has such a name", path)
        return matched
    return None


def _is_pattern(path: Any) -> bool:
    return isinstance(path, str) and glob.has_magic(path) and not os.path.exists(path)


def _children_of(main: dict[str, Any] | None, found: dict[Path, dict[str, Any]]) -> list[Path]:
    """Those of the run of the main process, by their rank and start; without that, those that
    belong with the last."""
    start = 0
    if main is None:
        main = max(found.values(), key=lambda facts: str(facts.get("timestamp", "")))
    elif "parent_process_id" not in main:  # a child's siblings may have begun before it
        start = main.get("start_time_ns", 0)
    program, job = main.get("program_id"), _job_of(main)
    ranks = {program: main.get("rank", 0)}
    if job is not None:
        for facts in found.values():
            if _job_of(facts) == job:
                ranks.setdefault(facts.get("program_id"), facts["rank"])
    begun = {
        file: (ranks[facts["program_id"]], facts.get("start_time_ns", 0))
        for file, facts in found.items()
        if program is not None and facts.get("program_id") in ranks
    }
    has = main.get("process_ids", ())  # of a run that follows its children
    return [
        file
        for file in sorted(begun, key=begun.__getitem__)
        if str(found[file].get("process_id")) not in has
        and (found[file]["program_id"] != program or begun[file][1] >= start)
    ]


def _job_of(facts: dict[str, Any]) -> tuple[Any, ...] | None:
    """What the ranks of a job have in common; None for who is none."""
    return (facts.get("launched_ranks"), facts.get("job_id")) if "rank" in facts else None
