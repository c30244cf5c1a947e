"""Collapsed stacks: a line for each path, "main;solve;step 1234567", for flamegraph.pl and others."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from ..io.json_export import write_each
from ..io.safe_file import written
from ..results import ProfilingResults
from ..results.functions import sums_of
from .drawn_trees import drawn_trees_of
from .timelines import process_name


def export_collapsed(
    profiling_data: ProfilingResults | Iterable[ProfilingResults],
    filepath: str | os.PathLike[str],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    verbose: bool = True,
) -> list[Path]:
    """Write the own time of each path of each run, in nanoseconds; of a run that was sampled, that of each
    stack. Return the paths of the files.

    Of several ranks, each has its name in front. The arguments are those of `export_prof`, which
    raises the same.
    """

    def write(run: ProfilingResults, path: Path) -> list[Path]:
        return write_collapsed(run, path, ranks, include, exclude)

    return write_each(profiling_data, filepath, ".collapsed", write, verbose)


def write_collapsed(
    results: ProfilingResults,
    path: Path,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    *,
    place: Callable[[str, str], None] = os.replace,
) -> list[Path]:
    """Write them to one file; see `export_collapsed`. place: see `replacing`."""
    trees = list(drawn_trees_of(results, ranks, include, exclude))
    with written(path, place) as file:
        for rank, nodes in trees:
            root = [_frame(process_name(results, rank))] if len(trees) > 1 else []
            stacks: list[str] = []
            for node in nodes:
                above = [stacks[node.parent]] if node.parent >= 0 else root
                stacks.append(";".join([*above, _frame(node.name)]))
                own = sums_of(node).own_ns
                if own > 0:
                    file.write(f"{stacks[-1]} {own}\n".encode("utf-8", "backslashreplace"))
    return [path]


def _frame(name: str) -> str:
    """A name without what separates frames and lines; the number is behind the last blank."""
    return re.sub(r"\s", " ", name.replace(";", ":")).strip() or "?"
