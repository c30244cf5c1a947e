"""Files (.prof) of pstats, which snakeviz and others read: functions as cProfile has them."""

from __future__ import annotations

import marshal
import os
import pstats
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from .._base.arguments import boolean, file_of
from .._base.file_names import split
from .._base.shown import shown
from .._model.recorded import Node
from ..io.json_export import runs_of, write_each
from ..io.safe_file import written
from ..results import ProfilingResults
from ..results.functions import CallSums, Function, Place, functions_of, place_in, sums_of, trees_of
from .timelines import process_name

_Key = tuple[str, int, str]
_Row = tuple[int, int, float, float]

#: What pstats has of a profile.
Table = dict[_Key, tuple[int, int, float, float, dict[_Key, _Row]]]


def export_prof(
    profiling_data: ProfilingResults | Iterable[ProfilingResults],
    filepath: str | os.PathLike[str],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    call_paths: bool = True,
    verbose: bool = True,
) -> list[Path]:
    """Write the functions and regions of each run for pstats, snakeviz and the like; return the paths.

    profiling_data, filepath, verbose: As for `export_json`. Each rank has a file of its own; where
        there are several, their numbers are added to its name.
    ranks, include, exclude: See `ProfilingResults.print_summary`.
    call_paths: Whether each path is an entry of its own, "a > b > c", below one for the run; False
        for an entry for each function or region.

    Raises TypeError or ValueError when there is no run, or an argument is none of these.
    Raises OSError when a file cannot be written; it is then as it was.
    """

    def write(run: ProfilingResults, path: Path) -> list[Path]:
        return write_prof(run, path, ranks, include, exclude, call_paths=call_paths)

    return write_each(profiling_data, filepath, ".prof", write, verbose)


def to_pstats(
    profiling_data: ProfilingResults | Iterable[ProfilingResults],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    call_paths: bool = True,
) -> dict[tuple[str, int], pstats.Stats]:
    """What `export_prof` writes, as a `pstats.Stats` by label of the run and rank."""
    boolean("call_paths", call_paths)
    return {
        (run.display_label, rank): stats(table)
        for run in runs_of(profiling_data)
        for rank, table in _tables(run, ranks, include, exclude, call_paths)
    }


def load_prof(filepath: str | os.PathLike[str]) -> pstats.Stats:
    """The `pstats.Stats` of a file, of whatever profiler.

    Raises OSError when there is no such file, ValueError when it is none of pstats.
    """
    path = file_of("filepath", filepath)
    with open(path, "rb") as file:
        try:
            table = marshal.load(file)
        except (EOFError, ValueError, TypeError) as error:
            raise ValueError(f"{path} is no file of pstats: {shown(error)}") from None
    if not isinstance(table, dict):
        raise ValueError(f"{path} is no file of pstats: it holds no table of functions")
    return stats(table)


def write_prof(
    results: ProfilingResults,
    path: Path,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    *,
    call_paths: bool = False,
    place: Callable[[str, str], None] = os.replace,
) -> list[Path]:
    """Write a file for each rank; see `export_prof`. place: see `replacing`."""
    boolean("call_paths", call_paths)
    tables = list(_tables(results, ranks, include, exclude, call_paths)) or [(0, {})]
    stem, suffix = split(path.name)
    paths = [path] if len(tables) == 1 else [
        path.with_name(f"{stem}_rank{rank}{suffix}") for rank, _ in tables
    ]
    for file_path, (_, table) in zip(paths, tables):
        write_table(file_path, table, place)
    return paths


def write_table(
    path: str | os.PathLike[str], table: Table, place: Callable[[str, str], None] = os.replace
) -> None:
    """Write a table as cProfile does. Raises OSError as `export_prof` does."""
    with written(path, place) as file:
        file.write(marshal.dumps(table))


class _Source:
    """What pstats takes a table from."""

    def __init__(self, table: Table) -> None:
        self.stats = table

    def create_stats(self) -> None:
        """The table is there already."""


def stats(table: Table, stream: TextIO | None = None) -> pstats.Stats:
    """The `pstats.Stats` of a table, which may be empty. stream: Where it prints; None for sys.stdout."""
    # It takes a table of nothing for a mistake.
    made = pstats.Stats(stream=stream)  # type: ignore[call-arg]
    if table:
        made.load_stats(_Source(table))  # type: ignore[arg-type]
        made.get_top_level_stats()  # type: ignore[attr-defined]
    return made


def stats_of(
    results: ProfilingResults, ranks: int | Iterable[int] | None = None, stream: TextIO | None = None
) -> pstats.Stats:
    """The functions of all these ranks together, to be printed: names are `shown`."""
    found: dict[str, Function] = {}
    place = place_in(results)
    for tree in trees_of(results, ranks):
        functions_of(tree.nodes, place, found)
    return stats(table_of(found, shown), stream)


def table_of(functions: Mapping[str, Function], text: Callable[[str], str] = str) -> Table:
    """The table of these functions. Calls of a recursion all count as primitive, as the tree does not
    tell which were outermost. text: What is made of names."""
    keys = {}
    for name, function in functions.items():
        file, line, own = function.key
        keys[name] = text(file), line, text(own)
    table: dict[_Key, CallSums] = {}
    callers: dict[_Key, dict[_Key, CallSums]] = {}
    for name, function in functions.items():
        key = keys[name]
        # Modules that were imported under two names have the same functions twice.
        _add(table, key, function.sums)
        called_by = callers.setdefault(key, {})
        for caller, sums in function.callers.items():
            _add(called_by, keys[caller], sums)
    return {
        key: (*_row(sums), {caller: _row(part) for caller, part in callers[key].items()})
        for key, sums in table.items()
    }


def _add(table: dict[_Key, CallSums], key: _Key, sums: CallSums) -> None:
    known = table.get(key)
    table[key] = sums if known is None else known.plus(sums)


def _row(sums: CallSums) -> _Row:
    return sums.calls, sums.calls, sums.own_ns / 1e9, sums.total_ns / 1e9


def _tables(
    results: ProfilingResults,
    ranks: int | Iterable[int] | None,
    include: str | Iterable[str] | None,
    exclude: str | Iterable[str] | None,
    call_paths: bool,
) -> Iterable[tuple[int, Table]]:
    place = place_in(results)
    for rank, nodes in trees_of(results, ranks, include, exclude):
        if call_paths:
            yield rank, _paths(nodes, place, process_name(results, rank))
        else:
            yield rank, table_of(functions_of(nodes, place))


def _paths(nodes: Sequence[Node], place: Place, root: str) -> Table:
    """A table of paths; the root stands for the run."""
    top: _Key = ("~", 0, root)
    keys: list[_Key] = []
    table: dict[_Key, Any] = {}
    total = 0
    for node in nodes:
        file, line = place(node.name)
        path = node.name if node.parent < 0 else f"{keys[node.parent][2]} > {node.name}"
        key = (file or "~", line if file else 0, path)
        keys.append(key)
        sums = sums_of(node)
        if node.parent < 0:
            total += sums.total_ns
        row = _row(sums)
        table[key] = (*row, {top if node.parent < 0 else keys[node.parent]: row})
    return {top: (1, 1, 0.0, total / 1e9, {}), **table}
