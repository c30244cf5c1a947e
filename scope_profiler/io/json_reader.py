"""Reading results from JSON; the format is described in `json_writer`."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np

from .._model.node_table import NODE
from .._model.recorded import Recorded
from ..results import OPTIONAL_COLUMNS, ProfilingResults, TaskInfo, ThreadInfo
from ..results.line_entries import LINE_COLUMNS
from .allowance import Allowance
from .unreadable import JSONProfileError
from .json_parser import parse_json
from .json_pieces import restore_nonfinite
from .json_writer import FORMAT, VERSION
from .thread_tables import Info, from_row
from .metadata_tables import checked_table, from_table
from .recorded_tables import COUNTER, WORK, from_tables
from .region_rows import (
    Row,
    checked_rank,
    from_extended,
    from_summary,
    regions_of,
    with_trees,
)

_GZIP = b"\x1f\x8b"

#: How much is read at once.
_BLOCK = 1 << 20


def read_json_file(
    path: str | os.PathLike[str], max_bytes: int | None = None
) -> ProfilingResults:
    """The results in a JSON file, compressed or not, whatever its name.

    `max_bytes` is what they may take, see `Allowance`.

    Of files by 0.7.5, what results have no place for (GPU columns, hardware
    counters) is passed over.

    Raises FileNotFoundError, IsADirectoryError or PermissionError when there is no such file to
    read.
    Raises JSONProfileError when the file is truncated, damaged, of a later version or no profile,
    saying what is wrong.
    """
    path = Path(path)
    with open(path, "rb") as file:
        allowance = Allowance(os.fstat(file.fileno()).st_size, max_bytes)
        try:
            packed = file.peek(2).startswith(_GZIP)
            text = _text(gzip.GzipFile(fileobj=file) if packed else file, allowance)
            document = checked_document(parse_json(text, allowance, "the text"))
            tables = [checked_table(table) for table in document.get("event_metadata_tables", ())]
            rows = [_row(row, tables) for row in document.get("regions", ())]
            return results_of(document, rows, path)
        except Exception as error:
            # Whatever json, numpy or our own checks make of a damaged file.
            reason = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else error
            raise JSONProfileError(path, str(reason) or repr(error)) from error


def _text(file: BufferedIOBase, allowance: Allowance) -> bytearray:
    """All that there is to be read, while it is allowed."""
    text = bytearray()
    while piece := file.read(_BLOCK):
        allowance.take(len(piece), "the text")
        text += piece
    return text


def checked_document(document: Any) -> dict[str, Any]:
    """The document, if it is one, with its NaNs and infinities restored."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f'this is JSON, but not a profile: its "format" is not "{FORMAT}"')
    version = int(document.get("format_version", VERSION))
    if version > VERSION:
        raise ValueError(
            f"it has version {version} of the format; this version reads up to {VERSION}: "
            "a later one wrote it"
        )
    restore_nonfinite(document)
    return document


def results_of(
    document: Mapping[str, Any], rows: list[Row], path: Path, *trees: Mapping[str, Any] | None
) -> ProfilingResults:
    """The results of a document, of whose regions `rows` are made; `trees` are in the place of its
    own."""
    names = document.get("region_names", dict.fromkeys(name for name, _, _ in rows))
    recorded: dict[int, Recorded] = {}
    for tables in trees or (document.get("recorded"),):
        recorded.update(_recorded(tables))
    return ProfilingResults(
        regions_of(names, with_trees(rows, recorded)),
        document.get("metadata"),
        num_ranks=document.get("num_ranks"),
        line_profile={
            checked_rank(int(rank)): [_function(function) for function in functions]
            for rank, functions in (document.get("line_profile") or {}).items()
        },
        file_path=path,
        event_data_available=document.get("event_data_available", True),
        threads=_rows_by_rank(document.get("threads"), ThreadInfo),
        tasks=_rows_by_rank(document.get("tasks"), TaskInfo),
        recorded=recorded,
    )


def _recorded(tables: Mapping[str, Any] | None) -> dict[int, Recorded]:
    if not tables:
        return {}
    others = {name: (tables[name], kind) for name, kind in (("work", WORK), ("counters", COUNTER))
              if name in tables}
    return from_tables({
        **tables,
        "nodes": _rows_of(tables["nodes"], NODE, len(tables["names"])),
        **{name: _rows_of(columns, kind, len(columns[kind.descr[0][0]]))
           for name, (columns, kind) in others.items()},
        "sketch_values": np.array(tables["sketch_values"], np.float64),
        "sketch_counts": np.array(tables["sketch_counts"], np.int64),
    })


def _rows_of(columns: Mapping[str, Any], kind: np.dtype, length: int) -> np.ndarray:
    """So many rows of those of the columns that are known."""
    known = [name for name in columns if name in (kind.names or ())]
    rows = np.empty(length, [(name, kind[name]) for name in known])
    for name in known:
        rows[name] = columns[name]
    return rows


_FACTS = ("source_file", "source_lineno", "source_text", "tags", "exclusive_total_ns")


def region_facts(row: Mapping[str, Any]) -> Row:
    """What the object of a region says besides its calls."""
    known = {key: row[key] for key in _FACTS if key in row}
    if "aggregate" in row:
        aggregate = row["aggregate"]
        known["statistics"] = from_summary(aggregate)
        known["exclusive_total_ns"] = aggregate.get("exclusive")
    if "recorded_statistics" in row:
        known["statistics"] = row["recorded_statistics"]
    known.update(from_extended(row.get("extended_statistics", {})))
    return row["name"], checked_rank(int(row["rank"])), known


def _row(row: Mapping[str, Any], tables: list[list[dict[str, Any]]]) -> Row:
    name, rank, known = region_facts(row)
    if "aggregate" not in row:
        starts = np.array(row.get("start_times_ns", ()))
        known["start_times_ns"] = starts
        known["durations_ns"] = _durations(starts, np.array(row.get("end_times_ns", ())))
    known.update((key, np.array(row[key])) for key in OPTIONAL_COLUMNS if key in row)
    if "metadata_table" in row:
        known["event_metadata"] = from_table(
            np.array(row["metadata_ids"], np.int32), tables[row["metadata_table"]]
        )
    elif row.get("event_metadata"):
        known["event_metadata"] = row["event_metadata"]
    return name, rank, known


def _durations(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    if starts.shape != ends.shape:
        raise ValueError(f"there are {len(starts)} start times, but {len(ends)} end times")
    return ends - starts


def _function(function: Mapping[str, Any]) -> dict[str, Any]:
    """A function of the line profile, from whose columns NaNs may have been left out."""
    columns = {
        name: [np.nan if value is None else value for value in function[name]]
        for name in LINE_COLUMNS if name in function
    }
    return {**function, **columns}


def _rows_by_rank(by_rank: Mapping[str, Any] | None, kind: type[Info]) -> dict[int, list[Info]]:
    return {
        checked_rank(int(rank)): [from_row(kind, int(rank), row) for row in rows]
        for rank, rows in (by_rank or {}).items()
    }
