"""Writing results in HDF5; the layout is described in `hdf5_schema`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import h5py
import numpy as np

from ..results import (
    BLOCK,
    FLOAT_STATISTICS,
    INTEGER_STATISTICS,
    OPTIONAL_COLUMNS,
    ProfilingResults,
    Region,
    blocks,
)
from .hdf5_schema import EXTENDED, RECORDED, SCHEMA, SUMMARY, UNKNOWN
from .safe_file import SafeFile, replacing

_TEXT = h5py.string_dtype()


def write_hdf5(results: ProfilingResults, path: str | os.PathLike[str]) -> None:
    """Write results to `path`, replacing in one step what is there.

    Besides the results, about two blocks of `BLOCK` calls are held in memory.

    Raises OSError when the file cannot be written; it is then as it was.
    """
    # The format is that of HDF5 1.8, the smallest that every tool reads.
    with replacing(path) as file:
        output = SafeFile(file)
        try:
            with h5py.File(output, "w", libver=("v108", "latest")) as root:
                _write(results, root, output)
        finally:
            # What HDF5 made of a failure, if anything, is only a consequence.
            output.check()


def _write(results: ProfilingResults, file: h5py.File, output: SafeFile) -> None:
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
    yield "summary_statistics", SUMMARY, [_summary_row(region) for region in regions]
    yield "extended_statistics", EXTENDED, [_extended_row(region) for region in regions]
    if any(region.statistics is not None for region in regions):
        yield "recorded_statistics", RECORDED, [_recorded_row(region) for region in regions]
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
    output: SafeFile,
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
        return (0,) * len(SUMMARY)
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
    known = UNKNOWN if exclusive is None else exclusive
    return (region.errors, region.inclusive_duration_ns, known)


def _recorded_row(region: Region) -> tuple[float, ...]:
    known = region.statistics or {}
    return (
        *(known.get(name, UNKNOWN) for name in INTEGER_STATISTICS),
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
        else:
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
