"""Reading results from HDF5; the layout is described in `hdf5_schema`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..results import (
    OPTIONAL_COLUMNS,
    MPIRegion,
    ProfilingResults,
    Region,
    exclusive_totals,
)
from .errors import CorruptProfileError, UnsupportedProfileError
from .hdf5_schema import RECORDED, SCHEMA, UNKNOWN


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
        "exclusive_total_ns": None if exclusive == UNKNOWN else exclusive,
    }


def _from_recorded(row: Mapping[str, float]) -> dict[str, float] | None:
    known = {name: row[name] for name in RECORDED.names if row.get(name, UNKNOWN) != UNKNOWN}
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
