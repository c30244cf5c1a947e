"""Writing results as Parquet: a folder ``x.parquet`` with a file for each rank, which DuckDB, polars,
Dask and others read as one table.

::

    x.parquet/rank=0/calls.parquet
              rank=1/calls.parquet ...

Each has a row per call, region after region: ``name`` (text), ``start_ns``, ``duration_ns`` (int64; on the
axis of ``perf_counter_ns()``), and, where any region has them, ``thread``, ``task``, ``await_ns``,
``call_id``, ``parent_id``, ``node`` (integers, null where a region has none) and ``metadata`` (text, JSON,
null where nothing was noted). The rank is in the name of the folder, as readers of partitioned tables
expect it.

What else there is of a rank is in the metadata of its file under the key `KEY`: the document of
`json_writer` without the columns, as JSON, deflated, in base64. So it is all read again.
"""

from __future__ import annotations

import base64
import os
import shutil
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from .._base.arguments import instance, integer, one_of
from .._base.file_names import PARQUET_PART
from ..results import OPTIONAL_COLUMNS, ProfilingResults, Region, blocks, parts_of
from ..results.data_frames import needed
from .json_pieces import json_pieces
from .json_values import json_text
from .json_writer import document_of
from .metadata_tables import MetadataTables
from .progress_bar import progress

_COMPRESSION = one_of("zstd", "snappy", "gzip", "lz4", "brotli", "none")

#: In the metadata of the file.
KEY = b"scope_profiler"

#: Optional columns of regions, and what the file calls them.
COLUMNS = {
    "thread_ids": "thread",
    "task_ids": "task",
    "await_ns": "await_ns",
    "call_ids": "call_id",
    "parent_ids": "parent_id",
    "node_ids": "node",
}

#: Rows that are written at once, and lie together: some 16 MiB a column.
ROWS = 1 << 20


def write_parquet(
    results: ProfilingResults,
    path: str | os.PathLike[str],
    *,
    compression: str = "zstd",
    rows: int = ROWS,
) -> Path:
    """Write results to a folder of Parquet files, one for each rank; return its path.

    What is there of an earlier one is replaced when all is written. Besides the results, `rows` calls
    are held in memory.

    results: The results; nothing of them is lost.
    path: The folder.
    compression: "zstd", "snappy", "gzip", "lz4", "brotli" or "none".
    rows: Calls that lie together in the file.

    Raises ImportError when pyarrow is not installed, TypeError or ValueError for wrong arguments.
    Raises OSError when it cannot be written, or when something else is there, which is then left.
    """
    instance(ProfilingResults)("results", results)
    integer("rows", rows, 1)
    needed("to_parquet", "pyarrow")
    _COMPRESSION("compression", compression)
    path = Path(path)
    _check_replaceable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".scope-profiler-{os.urandom(8).hex()}.tmp"
    total = sum(region.num_events for region in results)
    try:
        temporary.mkdir()
        with progress(f"Writing {path.name}", total) as advance:
            for rank in _ranks_of(results):
                folder = temporary / f"rank={rank}"
                folder.mkdir()
                _write_rank(results, rank, folder / PARQUET_PART, compression, rows, advance)
        _exchange(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return path


def _ranks_of(results: ProfilingResults) -> list[int]:
    """Every rank of which anything is known, at least one."""
    of_regions = {rank for region in results for rank in region}
    others = (results.threads, results.tasks, results.line_profile, results.recorded)
    return sorted(of_regions.union(*others)) or [0]


def is_parquet_folder(path: Path) -> bool:
    """Whether it is a folder of files as `write_parquet` makes them, and of nothing else."""
    try:
        folders = list(os.scandir(path))
        return bool(folders) and all(
            folder.name.startswith("rank=") and folder.is_dir(follow_symlinks=False)
            and all(name.endswith(".parquet") for name in os.listdir(folder))
            for folder in folders
        )
    except OSError:
        return False


def _check_replaceable(path: Path) -> None:
    if path.is_symlink() or path.exists() and not (
        path.is_dir() and (is_parquet_folder(path) or not any(path.iterdir()))
    ):
        raise FileExistsError(f"{path} is there, and no folder of Parquet files by rank; it is left")


def _exchange(temporary: Path, path: Path) -> None:
    """Give the folder its name. Where there was one, that is away for a moment; it is whole at any time
    under the one name or the other."""
    old = temporary.with_suffix(".old")
    with suppress(FileNotFoundError):
        os.rename(path, old)
    try:
        os.rename(temporary, path)
    except OSError:
        with suppress(OSError):
            os.rename(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _write_rank(
    results: ProfilingResults, rank: int, path: Path, compression: str, rows: int, advance: Any
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    named = [(region.name, region[rank]) for region in results if rank in region]
    regions = [region for _, region in named]
    source = _Columns(pa, [name for name, _ in named], regions)
    document = "".join(json_pieces(document_of(results, {rank}, columns=False)))
    packed = base64.b64encode(zlib.compress(document.encode("ascii"), 6))
    schema = source.schema.with_metadata({KEY: packed})
    with pq.ParquetWriter(path, schema, compression=compression) as writer:
        for part in blocks(sum(region.num_events for region in regions), rows):
            writer.write_table(pa.table(source.taken(part), schema=schema), row_group_size=rows)
            advance(part.stop - part.start)
    with open(path, "rb") as file:
        os.fsync(file)


class _Columns:
    """The columns of the calls of a rank, of which any rows can be had."""

    def __init__(self, pa: Any, names: list[str], regions: list[Region]) -> None:
        self._pa = pa
        self._regions = regions
        self._ends = np.cumsum([region.num_events for region in regions], dtype=np.int64)
        self._names = pa.array([_valid(name) for name in names], pa.string())
        self._known = [
            name for name in OPTIONAL_COLUMNS if any(region.has_column(name) for region in regions)
        ]
        notes = MetadataTables(regions)
        firsts = np.cumsum([0, *map(len, notes.tables)]).tolist()
        self._first_notes = [-1 if number < 0 else firsts[number] for number in notes.numbers]
        self._texts = pa.array(
            [json_text(entry) for table in notes.tables for entry in table], pa.string()
        )
        text = pa.dictionary(pa.int32(), pa.string())
        fields = [("name", text), ("start_ns", pa.int64()), ("duration_ns", pa.int64())]
        fields += [(COLUMNS[name], pa.int64()) for name in self._known]
        if notes.tables:
            fields.append(("metadata", text))
        self.schema = pa.schema(fields)

    def taken(self, rows: slice) -> dict[str, Any]:
        """Those rows, as Arrow's arrays by name."""
        pa, parts = self._pa, list(parts_of(rows, self._ends)) if self._regions else []
        codes = np.repeat(
            np.array([index for index, _ in parts], np.int32), [p.stop - p.start for _, p in parts]
        )
        taken = {"name": pa.DictionaryArray.from_arrays(pa.array(codes), self._names)}
        for name, key in (("start_times_ns", "start_ns"), ("durations_ns", "duration_ns"),
                          *((name, COLUMNS[name]) for name in self._known)):
            taken[key] = self._column(name, parts)
        if "metadata" in self.schema.names:
            taken["metadata"] = self._notes(parts)
        return taken

    def _column(self, name: str, parts: list[tuple[int, slice]]) -> Any:
        pieces, missing = [], []
        for index, part in parts:
            values = getattr(self._regions[index], name)
            length = part.stop - part.start
            pieces.append(np.zeros(length, np.int64) if values is None else values[part])
            missing.append(np.full(length, values is None))
        values = np.concatenate([np.empty(0, np.int64), *pieces])
        mask = np.concatenate([np.empty(0, bool), *missing])
        return self._pa.array(values, mask=mask if mask.any() else None)

    def _notes(self, parts: list[tuple[int, slice]]) -> Any:
        pieces = []
        for index, part in parts:
            first = self._first_notes[index]
            if first < 0:
                pieces.append(np.full(part.stop - part.start, -1))
            else:
                ids = self._regions[index].event_metadata.ids[part]
                pieces.append(np.where(ids < 0, -1, ids + first))
        codes = np.concatenate([np.empty(0, np.int64), *pieces]).astype(np.int32)
        indices = self._pa.array(np.maximum(codes, 0), mask=codes < 0)
        return self._pa.DictionaryArray.from_arrays(indices, self._texts)


def _valid(text: str) -> str:
    """The text; Arrow has none that UTF-8 has not."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
