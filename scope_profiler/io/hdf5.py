"""Results in HDF5: schema 3 of scope-profiler, which its own reader opens too.

::

    /                       attributes scope_profiler_schema = 3,
                            storage_layout = "columnar" or "aggregate"
    metadata                facts about the run, as attributes
    region_table/names      str [regions]
    rank_region_index/      one row per (rank, region)
        region_ids, ranks                  u4 [rows]
        event_offsets, event_counts        u8 [rows], into events/*
        source_files, source_lines, source_texts, tags, event_metadata
        exclusive_totals                   i8 [rows] ns, -1 unknown
        summary_statistics                 compound [rows], over the intervals
        aggregate_{counts,totals,minimums,maximums,exclusives}
                                           [rows], in the aggregate layout
        extended_statistics, recorded_statistics
                                           compound [rows], ours; see below
    events/                 one row per call, run after run of a row above
        start_deltas                       i8 [calls] ns, the first of a run absolute
        durations                          i8 [calls] ns
        thread_ids, call_ids, parent_ids   i8 [calls], absent when not recorded
    rank<r>/line_profile/<i>               one group per function

The aggregate layout is that of a run of which no interval was kept.
``extended_statistics`` holds what the schema has no place for: errors and wall
time with recursion counted once; ``recorded_statistics``, where not every call
has its interval, the aggregates over all calls. Other readers pass over them.

Schemas 1 and 2, of earlier releases, are read as well.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..results import (
    BLOCK,
    FLOAT_STATISTICS,
    INTEGER_STATISTICS,
    OPTIONAL_COLUMNS,
    MPIRegion,
    ProfilingResults,
    Region,
    blocks,
    exclusive_totals,
)
from . import CorruptProfileError, UnsupportedProfileError, replacing

SCHEMA = 3

_TEXT = h5py.string_dtype()
_UNKNOWN = np.iinfo(np.int64).min

_SUMMARY = np.dtype(
    [
        (name, "<i8")
        for name in ("total", "minimum", "maximum", "first", "last", "start_minimum", "end_maximum")
    ]
    + [("gpu_count", "<u8"), ("gpu_total", "<i8"), ("mean", "<f8"), ("m2", "<f8")]
)
_EXTENDED = np.dtype([(name, "<i8") for name in ("errors", "inclusive", "exclusive")])
_RECORDED = np.dtype(
    [(name, "<i8") for name in INTEGER_STATISTICS] + [(name, "<f8") for name in FLOAT_STATISTICS]
)


# -- writing -------------------------------------------------------------------


def write_hdf5(results: ProfilingResults, path: str | os.PathLike[str]) -> None:
    """Write results to `path`, replacing in one step what is there.

    Besides the results, about two blocks of `BLOCK` calls are held in memory.

    Raises OSError when the file cannot be written; it is then as it was.
    """
    # The format is that of HDF5 1.8, the smallest that every tool reads.
    with replacing(path) as file:
        output = _Output(file)
        try:
            with h5py.File(output, "w", libver=("v108", "latest")) as root:
                _write(results, root, output)
        finally:
            # What HDF5 made of a failure, if anything, is only a consequence.
            output.check()


class _Output:
    """The file as HDF5 sees it: writing to it never fails.

    After a failure to write, HDF5 may abort the process when it closes the
    file, or when Python exits. So the first failure is kept for `check` to
    raise, and what is written from then on is kept in memory, for HDF5 to
    find it there until it has closed the file. An interrupt that arrives in
    these methods is treated alike.
    """

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._position = 0
        self._error: BaseException | None = None
        self._unwritten: dict[int, bytes] = {}

    def check(self) -> None:
        """Raise what went wrong, so that no more is written than HDF5 has begun."""
        if self._error is not None:
            raise self._error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + (os.fstat(self._file.fileno()).st_size if whence else 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        buffer = bytearray(size)
        self.readinto(memoryview(buffer))
        return bytes(buffer)

    def readinto(self, buffer: memoryview) -> int:
        start, stop = self._position, self._position + len(buffer)
        with self._failures_kept():
            self._file.seek(start)
            self._file.readinto(buffer)
        for offset, data in self._unwritten.items():
            low, high = max(start, offset), min(stop, offset + len(data))
            if low < high:
                buffer[low - start : high - start] = data[low - offset : high - offset]
        return len(buffer)

    def write(self, data: memoryview) -> int:
        if self._error is None:
            with self._failures_kept():
                self._file.seek(self._position)
                rest = memoryview(data)
                while rest:
                    rest = rest[self._file.write(rest) :]
        if self._error is not None:
            self._unwritten.pop(self._position, None)
            self._unwritten[self._position] = bytes(data)
        return len(data)

    def truncate(self, size: int) -> int:
        if self._error is None:
            with self._failures_kept():
                self._file.truncate(size)
        return size

    def flush(self) -> None:
        """Nothing is buffered."""

    @contextmanager
    def _failures_kept(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._error = self._error or error


def _write(results: ProfilingResults, file: h5py.File, output: _Output) -> None:
    rows = [
        (number, rank, region[rank]) for number, region in enumerate(results) for rank in region
    ]
    regions = [region for _, _, region in rows]
    aggregate = any(region.num_calls for region in regions) and not any(
        region.num_events for region in regions
    )

    file.attrs["scope_profiler_schema"] = np.int64(SCHEMA)
    file.attrs["storage_layout"] = "aggregate" if aggregate else "columnar"
    _write_attributes(file.create_group("metadata"), results.metadata)
    _write_texts(file.create_group("region_table"), "names", results.region_names)

    index = file.create_group("rank_region_index")
    for name, dtype, values in _number_columns(rows, aggregate):
        index[name] = np.array(values, dtype)
    for name, texts in (
        ("source_files", (region.source_file or "" for region in regions)),
        ("source_texts", (region.source_text or "" for region in regions)),
        ("tags", (json.dumps(region.tags) if region.tags else "[]" for region in regions)),
        ("event_metadata", (_metadata_text(region) for region in regions)),
    ):
        _write_texts(index, name, texts)

    events = file.create_group("events")
    write_column = partial(_write_column, events, regions, output)
    write_column("start_deltas", _start_deltas)
    write_column("durations", lambda region, rows: region.durations_ns[rows])
    for name in OPTIONAL_COLUMNS:
        if any(getattr(region, name) is not None for region in regions):
            write_column(name, partial(_ids, name))

    for rank, functions in results.line_profile.items():
        group = file.create_group(f"rank{rank}/line_profile")
        for number, function in enumerate(functions):
            output.check()
            _write_function(group.create_group(str(number)), function)


def _number_columns(
    rows: Sequence[tuple[int, int, Region]], aggregate: bool
) -> Iterator[tuple[str, Any, Any]]:
    """Name, type and values of the columns of the index that are of numbers."""
    regions = [region for _, _, region in rows]
    counts = np.array([region.num_events for region in regions], "<u8")
    yield "region_ids", "<u4", [number for number, _, _ in rows]
    yield "ranks", "<u4", [rank for _, rank, _ in rows]
    yield "event_offsets", "<u8", np.cumsum(counts, dtype="<u8") - counts
    yield "event_counts", "<u8", counts
    yield "source_lines", "<i8", [_or_minus_one(region.source_lineno) for region in regions]
    yield "exclusive_totals", "<i8", [_exclusive_of_events(region) for region in regions]
    yield "summary_statistics", _SUMMARY, [_summary_row(region) for region in regions]
    yield "extended_statistics", _EXTENDED, [_extended_row(region) for region in regions]
    if any(region.statistics is not None for region in regions):
        yield "recorded_statistics", _RECORDED, [_recorded_row(region) for region in regions]
    if aggregate:
        exclusives = [_or_minus_one(region.exclusive_duration_ns) for region in regions]
        yield "aggregate_counts", "<u8", [region.num_calls for region in regions]
        yield "aggregate_totals", "<i8", [region.total_duration_ns for region in regions]
        yield "aggregate_minimums", "<i8", [region.min_duration_ns for region in regions]
        yield "aggregate_maximums", "<i8", [region.max_duration_ns for region in regions]
        yield "aggregate_exclusives", "<i8", exclusives


def _write_column(
    events: h5py.Group,
    regions: Sequence[Region],
    output: _Output,
    name: str,
    values: Callable[[Region, slice], np.ndarray | int],
) -> None:
    """One value per call; regions of few calls are gathered, so that each write is large."""
    length = sum(region.num_events for region in regions)
    dataset = events.create_dataset(name, (length,), "<i8")
    buffer = np.empty(min(length, BLOCK), np.int64)
    written = held = 0
    for region in regions:
        for rows in blocks(region.num_events):
            size = rows.stop - rows.start
            if held + size > len(buffer):
                output.check()
                dataset[written : written + held] = buffer[:held]
                written, held = written + held, 0
            buffer[held : held + size] = values(region, rows)
            held += size
    if held:
        dataset[written : written + held] = buffer[:held]


def _start_deltas(region: Region, rows: slice) -> np.ndarray:
    starts = region.start_times_ns
    deltas = starts[rows].copy()
    deltas[1:] -= starts[rows][:-1]
    if rows.start:
        deltas[0] -= starts[rows.start - 1]
    return deltas


def _ids(name: str, region: Region, rows: slice) -> np.ndarray | int:
    column = getattr(region, name)
    return -1 if column is None else column[rows]


def _exclusive_of_events(region: Region) -> int:
    """The exclusive time, as far as it belongs to the intervals that are written."""
    exclusive = region.exclusive_duration_ns
    known = exclusive is not None and exclusive >= 0 and region.num_events == region.num_calls
    return exclusive if known else -1


def _summary_row(region: Region) -> tuple[float, ...]:
    """Aggregates over the intervals that are written, which may be fewer than the calls."""
    if not region.num_events:
        return (0,) * len(_SUMMARY)
    if region.num_events != region.num_calls:
        region = Region(start_times_ns=region.start_times_ns, durations_ns=region.durations_ns)
    return (
        region.total_duration_ns,
        region.min_duration_ns,
        region.max_duration_ns,
        region.first_duration_ns,
        region.last_duration_ns,
        region.first_start_time_ns,
        region.last_end_time_ns,
        0,
        0,
        region.total_duration_ns / region.num_events,
        region.std_duration_ns**2 * region.num_events,
    )


def _extended_row(region: Region) -> tuple[int, ...]:
    exclusive = region.exclusive_duration_ns
    known = _UNKNOWN if exclusive is None else exclusive
    return (region.errors, region.inclusive_duration_ns, known)


def _recorded_row(region: Region) -> tuple[float, ...]:
    known = region.statistics or {}
    return (
        *(known.get(name, _UNKNOWN) for name in INTEGER_STATISTICS),
        *(known.get(name, np.nan) for name in FLOAT_STATISTICS),
    )


def _metadata_text(region: Region) -> str:
    """JSON, a list of one object per call, or of none where no call has any."""
    if not region.has_event_metadata:
        return "[]"
    return json.dumps([dict(entry) for entry in region.event_metadata], default=_json_value)


def _json_value(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)


def _write_function(group: h5py.Group, function: Mapping[str, Any]) -> None:
    arrays = {name: value for name, value in function.items() if isinstance(value, np.ndarray)}
    for name, array in arrays.items():
        group[name] = array
    _write_attributes(
        group, {name: value for name, value in function.items() if name not in arrays}
    )


def _write_attributes(group: h5py.Group, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, str):
            group.attrs.create(name, _encoded(value), dtype=_TEXT)
        elif isinstance(value, list):
            group.attrs.create(name, [_encoded(item) for item in value], (len(value),), _TEXT)
        elif value is not None:
            group.attrs[name] = value


def _write_texts(group: h5py.Group, name: str, texts: Iterable[str]) -> None:
    values = [_encoded(text) for text in texts]
    group.create_dataset(name, (len(values),), _TEXT, data=values)


def _encoded(text: str) -> bytes:
    """UTF-8, whatever the text: names of files need not be valid, and HDF5 ends a text at NUL."""
    text = text.replace("\0", "\N{SYMBOL FOR NULL}")
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def _or_minus_one(value: int | None) -> int:
    return -1 if value is None else value


# -- reading -------------------------------------------------------------------


def read_hdf5(path: str | os.PathLike[str]) -> ProfilingResults:
    """The results in an HDF5 file of schema 1 to 3.

    All columns are read at once, into arrays that the regions share. Of files
    by others, what a `Region` has no place for (task, wait and GPU columns,
    hardware counters) is passed over.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        When there is no such file to read.
    CorruptProfileError
        When the file is truncated, damaged or no profile, saying what is wrong.
    UnsupportedProfileError
        When its schema is later than 3.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            return _read(file, Path(path))
    except (FileNotFoundError, IsADirectoryError, PermissionError, UnsupportedProfileError):
        raise
    except Exception as error:
        # Whatever h5py or our own checks make of a damaged file. The text of a
        # KeyError is quoted.
        reason = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise CorruptProfileError(path, reason or repr(error)) from error


def _read(file: h5py.File, path: Path) -> ProfilingResults:
    schema = int(file.attrs.get("scope_profiler_schema", 1))
    if schema > SCHEMA:
        raise UnsupportedProfileError(
            f"{path} has schema {schema}; this version reads up to {SCHEMA}: a later one wrote it"
        )
    ranks = {int(name[4:]): file[name] for name in file if re.fullmatch(r"rank\d+", name)}
    if schema == 1:
        if not ranks and "metadata" not in file:
            raise ValueError("this is an HDF5 file, but not a profile")
        rows = list(_read_groups(ranks))
        names = list(dict.fromkeys(name for name, _, _ in rows))
    else:
        names = _texts(_member(_member(file, "region_table"), "names"))
        rows = [
            (names[number], rank, known)
            for number, rank, known in _read_columns(file, schema, len(names))
        ]

    regions: dict[str, dict[int, Region]] = {name: {} for name in names}
    for name, rank, region in _with_exclusive(rows):
        if rank in regions[name]:
            raise ValueError(f"region {name!r} has rank {rank} twice")
        regions[name][rank] = region
    return ProfilingResults(
        {name: MPIRegion(name, by_rank) for name, by_rank in regions.items()},
        _attributes(file["metadata"]) if "metadata" in file else {},
        line_profile={
            rank: [
                _read_function(group["line_profile"][key])
                for key in sorted(group["line_profile"], key=int)
            ]
            for rank, group in ranks.items()
            if "line_profile" in group
        },
        file_path=path,
    )


def _read_columns(
    file: h5py.File, schema: int, num_names: int
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Region number, rank and constructor arguments of each row of schema 2 or 3."""
    index = _member(file, "rank_region_index")
    numbers = _member(index, "region_ids")[...].tolist()
    length = len(numbers)
    if numbers and max(numbers) >= num_names:
        raise ValueError(
            f"there are {num_names} region names, but region {max(numbers)} is referred to"
        )

    def column(name: str, otherwise: Any) -> Sequence[Any]:
        # The aggregate layout leaves out what it has no use for, or has it empty.
        dataset = index.get(name)
        if dataset is None or not len(dataset):
            return [otherwise] * length
        if len(dataset) != length:
            raise ValueError(f"rank_region_index/{name} has {len(dataset)} rows, not {length}")
        if h5py.check_string_dtype(dataset.dtype):
            return _texts(dataset)
        values, fields = dataset[...].tolist(), dataset.dtype.names
        return values if fields is None else [dict(zip(fields, value)) for value in values]

    ranks = column("ranks", 0)
    files, lines = column("source_files", ""), column("source_lines", -1)
    texts = column("source_texts", "")
    tags, metadata = column("tags", "[]"), column("event_metadata", "[]")
    exclusives = column("exclusive_totals", -1)
    statistics: list[dict[str, Any] | None] = [None] * length
    if "aggregate_counts" in index:
        names = ("count", "total", "minimum", "maximum")
        columns = [column(f"aggregate_{name}s", 0) for name in names]
        statistics = [dict(zip(names, values)) for values in zip(*columns)]
        exclusives = column("aggregate_exclusives", -1)
    extended = column("extended_statistics", None)
    recorded = column("recorded_statistics", None)
    events = _read_events(
        _member(file, "events"), schema, column("event_offsets", 0), column("event_counts", 0)
    )

    for row in range(length):
        known = next(events)
        known.update(
            source_file=files[row],
            source_lineno=None if lines[row] < 0 else lines[row],
            source_text=texts[row],
            tags=_from_json(tags[row]),
            event_metadata=_from_json(metadata[row]) or None,
            exclusive_total_ns=None if exclusives[row] < 0 else exclusives[row],
            statistics=statistics[row],
        )
        if extended[row] is not None:
            known.update(_from_extended(extended[row]))
        if recorded[row] is not None:
            known["statistics"] = _from_recorded(recorded[row])
        yield numbers[row], ranks[row], _sorted_run(known)


def _from_extended(row: Mapping[str, int]) -> dict[str, Any]:
    exclusive = row["exclusive"]
    return {
        "errors": row["errors"],
        "inclusive_total_ns": row["inclusive"],
        "exclusive_total_ns": None if exclusive == _UNKNOWN else exclusive,
    }


def _from_recorded(row: Mapping[str, float]) -> dict[str, float] | None:
    names = INTEGER_STATISTICS + FLOAT_STATISTICS
    known = {name: row[name] for name in names if row.get(name, _UNKNOWN) != _UNKNOWN}
    return known if "count" in known else None


def _read_events(
    events: h5py.Group, schema: int, offsets: Sequence[int], counts: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """The columns of each run of calls, as constructor arguments."""
    names = ("start_deltas", "durations") if schema >= 3 else ("start_times", "end_times")
    columns = {
        name: _member(events, name)[...]
        for name in (*names, *OPTIONAL_COLUMNS)
        if name in events or name in names
    }
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the columns of events differ in length: {lengths}")
    end = 0
    for offset, count in sorted(zip(offsets, counts)):
        if count and offset < end:
            raise ValueError("the runs of two regions overlap in events")
        end = max(end, offset + count)
    if end > lengths[names[0]]:
        raise ValueError(
            f"events has {lengths[names[0]]} calls, not the {end} that its index speaks of"
        )

    starts, durations = (columns.pop(name) for name in names)
    if schema < 3:
        durations -= starts
    for offset, count in zip(offsets, counts):
        rows = slice(offset, offset + count)
        if schema >= 3:
            np.cumsum(starts[rows], out=starts[rows])
        yield {
            "start_times_ns": starts[rows],
            "durations_ns": durations[rows],
            **{name: column[rows] for name, column in columns.items()},
        }


_REGION_FACTS = ("source_file", "source_lineno", "source_text", "tags")


def _read_groups(ranks: Mapping[int, h5py.Group]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Name, rank and constructor arguments of each region of schema 1: a group each."""
    for rank, group in ranks.items():
        for name, item in _region_groups(group.get("regions", {})):
            facts = _attributes(item)
            starts = item["start_times"][...]
            ends = _member(item, "end_times")[...]
            known = {"start_times_ns": starts, "durations_ns": ends - starts}
            known.update(
                (column, item[column][...]) for column in OPTIONAL_COLUMNS if column in item
            )
            known.update((key, facts[key]) for key in _REGION_FACTS if key in facts)
            yield name, rank, _sorted_run(known)


def _region_groups(group: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, h5py.Group]]:
    """A name with a slash in it is a group within a group, either of which may be a region."""
    for key, item in group.items():
        if isinstance(item, h5py.Group):
            if "start_times" in item:
                yield prefix + key, item
            yield from _region_groups(item, f"{prefix}{key}/")


def _sorted_run(known: dict[str, Any]) -> dict[str, Any]:
    """Constructor arguments, with the calls sorted by start where their writer did not."""
    for name in ("thread_ids", "call_ids"):
        # -1 throughout: recorded for other regions only.
        if name in known and not (known[name] != -1).any():
            del known[name]
    if "call_ids" not in known or "parent_ids" not in known:
        known.pop("call_ids", None)
        known.pop("parent_ids", None)
    starts = known["start_times_ns"]
    if (starts[1:] < starts[:-1]).any():
        order = np.argsort(starts, kind="stable")
        for name in ("start_times_ns", "durations_ns", *OPTIONAL_COLUMNS):
            if name in known:
                known[name] = known[name][order]
        if known.get("event_metadata"):
            known["event_metadata"] = [known["event_metadata"][call] for call in order]
    return known


def _with_exclusive(
    rows: Sequence[tuple[str, int, dict[str, Any]]],
) -> Iterator[tuple[str, int, Region]]:
    """The regions, with the exclusive times that their writer left out."""
    for rank, group in groupby(sorted(rows, key=lambda row: row[1]), key=lambda row: row[1]):
        known = [(name, arguments) for name, _, arguments in group]
        regions = [Region(**arguments) for _, arguments in known]
        # What we wrote has "errors"; there, unknown is unknown.
        if any(
            arguments.get("exclusive_total_ns") is None and "errors" not in arguments
            for _, arguments in known
        ):
            for (_, arguments), total in zip(known, exclusive_totals(regions)):
                if arguments.get("exclusive_total_ns") is None:
                    arguments["exclusive_total_ns"] = total
            regions = [Region(**arguments) for _, arguments in known]
        for (name, _), region in zip(known, regions):
            yield name, rank, region


def _member(group: h5py.Group, name: str) -> Any:
    if name not in group:
        raise ValueError(f"{group.name.rstrip('/')}/{name} is missing")
    return group[name]


def _from_json(text: str) -> list[Any]:
    return json.loads(text) if text != "[]" else []


def _read_function(group: h5py.Group) -> dict[str, Any]:
    return {**_attributes(group), **{name: item[...] for name, item in group.items()}}


def _attributes(group: h5py.Group) -> dict[str, Any]:
    return {name: _plain(value) for name, value in group.attrs.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, h5py.Empty):
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, np.generic):
        return value.item()
    return [_plain(item) for item in value] if isinstance(value, np.ndarray) else value


def _texts(dataset: h5py.Dataset) -> list[str]:
    return dataset.asstr(errors="surrogateescape")[...].tolist()
