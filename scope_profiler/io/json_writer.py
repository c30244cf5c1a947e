"""Writing results as JSON, in the format of scope-profiler 0.7.5, version 1.

An object with ``format``, ``format_version``, ``exporter``, ``time_unit``,
``num_ranks``, ``event_data_available``, ``metadata``, ``regions`` and, where
there are any, ``threads``, ``tasks`` and ``line_profile``, whose keys are the
ranks as strings. ``regions`` has an object for each region on each rank:
``name``, ``rank``, ``source_file``, ``source_lineno``, ``source_text``,
``tags``; ``start_times_ns``, ``end_times_ns``, the optional columns,
``event_metadata``, ``exclusive_total_ns``; where no call was kept,
``aggregate`` instead.

Ours besides, which other readers pass over: ``region_names``; in the objects of regions
``extended_statistics`` and ``recorded_statistics``, as in HDF5, and
``metadata_table`` with ``metadata_ids``, for every call the index into one of
the ``event_metadata_tables``; ``recorded``, see `recorded_tables`, with ``nodes``, ``work`` and
``counters`` by columns;
``nonfinite``, see `json_pieces`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._base.arguments import file_named, instance, rank_set
from .._version import __version__
from .._model.node_table import NODE
from ..results import OPTIONAL_COLUMNS, ProfilingResults, Region
from .json_pieces import json_pieces
from .thread_tables import row_of
from .metadata_tables import MetadataTables, per_call
from .progress_bar import progress
from .recorded_tables import COUNTER, WORK, tables_of
from .region_rows import aggregate, calls_were_read, exclusive_of_events, extended, recorded_columns
from .safe_file import written

FORMAT = "scope-profiler-profile"
VERSION = 1

def write_json(
    results: ProfilingResults,
    filepath: str | os.PathLike[str],
    *,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    ranks: int | Iterable[int] | None = None,
    indent: int | str | None = None,
) -> Path:
    """Write results to a file as JSON, replacing in one step what is there; return its path.

    A path that ends in ``.gz`` is compressed, and the same results give the
    same bytes. Columns are written in blocks, so little is held in memory.

    results: The results; nothing of them is lost.
    filepath: The file; folders that it is in are made.
    include, exclude: Regular expressions, one or several, that the names of regions match; see
        `ProfilingResults.get_regions`.
    ranks: The ranks to write, one or several; None for all.
    indent: Spaces, or the text, by which members are set in; None for no line breaks. Columns are
        on one line.

    Raises TypeError or ValueError when `include` or `exclude` is no regular expression, or `indent`
    is neither an int >= 0, a str nor None; when the name does not end in ".json" or ".json.gz".
    Raises OSError when the file cannot be written; it is then as it was.
    """
    _check_indent(indent)
    instance(ProfilingResults)("results", results)
    path = file_named("filepath", filepath, ".json", ".json.gz")
    _write(results, document_of(results, rank_set(ranks), include, exclude), path, indent)
    return path


def write_document(
    results: ProfilingResults,
    path: str | os.PathLike[str],
    place: Callable[[str, str], None] = os.replace,
) -> None:
    """Write all of the results; for `place` see `replacing`. Raises OSError as `write_json` does."""
    _write(results, document_of(results), Path(path), None, place)


def _write(
    results: ProfilingResults,
    document: dict[str, Any],
    path: Path,
    indent: int | str | None,
    place: Callable[[str, str], None] = os.replace,
) -> None:
    regions = [region for name in document["region_names"] for region in results[name].regions.values()]
    numbers = sum(region.num_events for region in regions) * (2 + len(recorded_columns(regions)))
    with written(path, place) as file, progress(f"Writing {path.name}", numbers) as advance:
        for piece in json_pieces(document, indent, advance):
            file.write(piece.encode("ascii"))


def _check_indent(indent: object) -> None:
    if isinstance(indent, bool) or not isinstance(indent, (int, str, type(None))):
        raise TypeError(f"indent must be an int, a str or None; got {indent!r}")
    if isinstance(indent, int) and indent < 0:
        raise ValueError(f"indent must be at least 0; got {indent}")
    if isinstance(indent, str) and indent.strip(" \t"):
        raise ValueError(f"indent must be of spaces and tabs; got {indent!r}")


def document_of(
    results: ProfilingResults,
    ranks: set[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    columns: bool = True,
) -> dict[str, Any]:
    """The document, of which the long parts are made while they are written.

    columns: Whether to have a value for each call in it. Without, regions say in ``calls`` how many
        there are, in ``columns`` which of `OPTIONAL_COLUMNS` they have, and ``has_metadata``.
    """
    chosen = {region.name for region in results.get_regions(include, exclude)}
    names = [name for name in results.region_names if name in chosen]
    rows = [
        (name, rank, region)
        for name in names
        for rank, region in _of_ranks(results[name].regions, ranks)
    ]
    notes = MetadataTables(region for _, _, region in rows)
    wanted = chosen.__contains__ if include or exclude else lambda name: True
    places = {
        rank: np.array(tree.places(wanted), np.int64)
        for rank, tree in _of_ranks(results.recorded, ranks)
    }
    document = {
        "format": FORMAT,
        "format_version": VERSION,
        "exporter": f"scope-profiler@{__version__}",
        "time_unit": "nanoseconds",
        "num_ranks": results.num_ranks,
        "event_data_available": calls_were_read(results),
        "metadata": results.metadata,
        "region_names": names,
        "regions": (
            _region(name, rank, region, table, places.get(rank))
            if columns else _facts(name, rank, region)
            for (name, rank, region), table in zip(rows, notes.numbers)
        ),
    }
    if notes.tables and columns:
        document["event_metadata_tables"] = (list(table) for table in notes.tables)
    for key, infos in (("threads", results.threads), ("tasks", results.tasks)):
        if infos:
            document[key] = {
                str(rank): map(row_of, of_rank) for rank, of_rank in _of_ranks(infos, ranks)
            }
    recorded = {
        rank: tree.only(wanted) for rank, tree in _of_ranks(results.recorded, ranks)
    }
    if recorded:
        tables = tables_of(recorded)
        document["recorded"] = {
            name: {column: table[column] for column in table.dtype.names}
            if getattr(table, "dtype", None) in (NODE, WORK, COUNTER) else table
            for name, table in tables.items()
        }
    if results.line_profile:
        document["line_profile"] = {
            str(rank): iter(functions)
            for rank, functions in _of_ranks(results.line_profile, ranks)
        }
    return document


def _of_ranks(by_rank: Mapping[int, Any], ranks: set[int] | None) -> Iterator[tuple[int, Any]]:
    return ((rank, by_rank[rank]) for rank in by_rank if ranks is None or rank in ranks)


def _region(
    name: str, rank: int, region: Region, table: int, places: np.ndarray | None
) -> dict[str, Any]:
    """The object of one region on one rank; `table` is that of its metadata, or -1; `places` are
    those of the nodes in the tree that is written."""
    row = _place(name, rank, region)
    if region.has_event_data:
        row["start_times_ns"] = region.start_times_ns
        row["end_times_ns"] = region.start_times_ns + region.durations_ns
        columns = {key: getattr(region, key) for key in OPTIONAL_COLUMNS}
        row.update((key, column) for key, column in columns.items() if column is not None)
        if region.node_ids is not None and places is not None:
            row["node_ids"] = places[region.node_ids]
        exclusive = exclusive_of_events(region)
        if exclusive is not None:
            row["exclusive_total_ns"] = exclusive
    else:
        row["aggregate"] = aggregate(region)
    if table >= 0:
        row["metadata_table"] = table
        row["metadata_ids"] = region.event_metadata.ids
        entries = per_call(region)
        if entries is not None:
            row["event_metadata"] = entries
    _add_statistics(row, region)
    return row


def _facts(name: str, rank: int, region: Region) -> dict[str, Any]:
    """The object of one region on one rank, without its calls."""
    row = _place(name, rank, region)
    if region.has_event_data:
        row["calls"] = region.num_events
        row["columns"] = [key for key in OPTIONAL_COLUMNS if region.has_column(key)]
        row["has_metadata"] = region.has_event_metadata
        exclusive = exclusive_of_events(region)
        if exclusive is not None:
            row["exclusive_total_ns"] = exclusive
    else:
        row["aggregate"] = aggregate(region)
    _add_statistics(row, region)
    return row


def _place(name: str, rank: int, region: Region) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "rank": rank}
    for key in ("source_file", "source_lineno", "source_text"):
        if getattr(region, key) is not None:
            row[key] = getattr(region, key)
    if region.tags:
        row["tags"] = region.tags
    return row


def _add_statistics(row: dict[str, Any], region: Region) -> None:
    row["extended_statistics"] = extended(region)
    if region.statistics is not None:
        row["recorded_statistics"] = region.statistics
