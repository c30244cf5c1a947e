"""Reading results from Parquet; the layout is described in `parquet_writer`."""

from __future__ import annotations

import base64
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._base.needs import explained
from ..results import EventMetadata, ProfilingResults
from .allowance import Allowance
from .json_parser import parse_json
from .json_reader import checked_document, region_facts, results_of
from .metadata_tables import checked_table
from .parquet_writer import COLUMNS, KEY
from .region_rows import Row
from .unreadable import CorruptProfileError

#: What a call takes in memory, at most.
_ROW_BYTES = 100


def read_parquet(
    path: str | os.PathLike[str], max_bytes: int | None = None
) -> ProfilingResults:
    """The results in a folder of Parquet files by rank, or in the file of one rank.

    `max_bytes` is what they may take, see `Allowance`.

    Raises FileNotFoundError or PermissionError when there is nothing to read.
    Raises CorruptProfileError when a file is truncated, damaged or none that `write_parquet` wrote.
    Raises ModuleNotFoundError when pyarrow is not installed.
    """
    path = Path(path)
    files = sorted(path.glob("rank=*/*.parquet"), key=_rank_of) if path.is_dir() else [path]
    if not files:
        raise CorruptProfileError(path, "this folder has no files rank=*/*.parquet")
    allowance = Allowance(sum(file.stat().st_size for file in files), max_bytes)
    documents, rows = [], []
    for file in files:
        try:
            document, of_rank = _read_file(file, allowance)
        except Exception as error:
            # Whatever pyarrow or our own checks make of a damaged file.
            if isinstance(error, ModuleNotFoundError):
                raise
            raise CorruptProfileError(file, error or repr(error)) from error
        documents.append(document)
        rows.extend(of_rank)
    try:
        trees = [document.get("recorded") for document in documents]
        return results_of(_together(documents), rows, path, *trees)
    except Exception as error:
        raise CorruptProfileError(path, error or repr(error)) from error


def _rank_of(file: Path) -> tuple[int, str]:
    found = re.fullmatch(r"rank=(\d{1,10})", file.parent.name)
    return (int(found[1]) if found else -1), file.name


def _read_file(path: Path, allowance: Allowance) -> tuple[dict[str, Any], list[Row]]:
    with explained():
        import pyarrow.parquet as pq

    with pq.ParquetFile(path, memory_map=False, thrift_string_size_limit=1 << 30) as file:
        known = file.schema_arrow.metadata or {}
        if KEY not in known:
            raise ValueError("it is Parquet, but no profile: its metadata have no scope_profiler")
        text = _unpacked(known[KEY], allowance)
        document = checked_document(parse_json(text, allowance, "the metadata"))
        described = document.get("regions", ())
        counts = [int(row.get("calls", 0)) for row in described]
        if min(counts, default=0) < 0 or sum(counts) != file.metadata.num_rows:
            raise ValueError(
                f"it has {file.metadata.num_rows} calls, but its metadata speak of {sum(counts)}"
            )
        allowance.take(sum(counts) * _ROW_BYTES, "the table of calls")
        columns, notes = _columns(file)
    return document, list(_rows(described, counts, columns, notes))


def _unpacked(packed: bytes, allowance: Allowance) -> bytes:
    data = base64.b64decode(packed, validate=True)
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(data, max(allowance.left, 0) + 1)
    allowance.take(len(text), "the metadata")
    if not unpacker.eof:
        raise ValueError("the metadata are truncated")
    return text


def _columns(file: Any) -> tuple[dict[str, Any], Any]:
    """The columns of integers, -1 or 0 where there is none; and the notes, as Arrow has them."""
    import pyarrow as pa

    names = set(file.schema_arrow.names)
    wanted = ["start_ns", "duration_ns", *(key for key in COLUMNS.values() if key in names)]
    table = file.read(columns=wanted)
    columns = {
        name: table.column(name).cast(pa.int64()).fill_null(0 if name == "await_ns" else -1).to_numpy()
        for name in wanted
    }
    if "metadata" not in names:
        return columns, None
    notes = file.read(columns=["metadata"]).column("metadata")
    if not pa.types.is_dictionary(notes.type):
        notes = notes.dictionary_encode()
    notes = notes.unify_dictionaries().combine_chunks()
    return columns, notes.chunk(0) if isinstance(notes, pa.ChunkedArray) else notes


def _rows(
    described: list[Mapping[str, Any]], counts: list[int], columns: Mapping[str, np.ndarray], notes: Any
) -> Iterator[Row]:
    table: list[dict[str, Any]] = []
    if notes is not None:
        table = checked_table([json.loads(text) for text in notes.dictionary.to_pylist()])
        columns = {**columns, "metadata": notes.indices.fill_null(-1).to_numpy(zero_copy_only=False)}
    begin = 0
    for row, count in zip(described, counts):
        rows = slice(begin, begin + count)
        begin = rows.stop
        name, rank, known = region_facts(row)
        if "calls" in row:
            known["start_times_ns"] = columns["start_ns"][rows]
            known["durations_ns"] = columns["duration_ns"][rows]
            for column in row.get("columns", ()):
                known[column] = columns[COLUMNS[column]][rows]
            if row.get("has_metadata"):
                known["event_metadata"] = EventMetadata(columns["metadata"][rows], table)
        yield name, rank, known


def _together(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """The document of all ranks."""
    together = dict(documents[0])
    for key in ("threads", "tasks", "line_profile"):
        together[key] = {
            rank: rows for document in documents for rank, rows in (document.get(key) or {}).items()
        }
    return together
