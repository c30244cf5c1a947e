"""Reading results from HDF5; the layout is described in `hdf5_schema`."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..results import OPTIONAL_COLUMNS, ProfilingResults, Region, StoredRegions, TaskInfo, ThreadInfo
from ..results.line_entries import LINE_COLUMNS
from .hdf5_datasets import Group
from .hdf5_file import opened
from .hdf5_events import METADATA_IDS, read_events
from .hdf5_index import Index
from .hdf5_threads import read_table
from .hdf5_metadata import EventNotes
from .hdf5_recorded import read_recorded
from .hdf5_schema import SCHEMA
from .hdf5_stored import SMALL, StoredEvents
from .hdf5_texts import read_attributes, read_texts
from .region_rows import Row, Trees, checked_rank, regions_of, with_trees

def read_hdf5(path: str | os.PathLike[str], max_bytes: int | None = None) -> ProfilingResults:
    """The results in an HDF5 file of schema 1 to 3.

    `max_bytes` is what they may take, see `Allowance`.

    Of a file that this version wrote, of many calls or regions, columns of calls are read and regions made
    when they are first asked for (`StoredEvents`, `StoredRegions`), else all at once, into arrays that the
    regions share. Of files by others, what a `Region` has no place for (GPU columns, hardware counters) is
    passed over.

    Raises FileNotFoundError, IsADirectoryError or PermissionError when there is no such file to
    read.
    Raises CorruptProfileError when the file is truncated, damaged or no profile, saying what is
    wrong.
    Raises UnsupportedProfileError when its schema is later than 3, or it is compressed in a way
    that takes a package which is not installed.
    """
    path = Path(path)
    return opened(
        path, lambda root, schema, file: _read(root, schema, file, path, max_bytes), max_bytes
    )


def read_hdf5_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The metadata of the results in an HDF5 file alone; raises as `read_hdf5` does."""
    return opened(path, lambda root, schema, file: _metadata(root))


def _read(
    root: Group, schema: int, file: io.FileIO, path: Path, max_bytes: int | None
) -> ProfilingResults:
    facts = run_facts(root)
    recorded = facts["recorded"]
    if schema == 1:
        rows = list(_read_groups(root))
        names = list(dict.fromkeys(name for name, _, _ in rows))
    else:
        names = read_texts(root.group("region_table"), "names")
        index = Index(root.group("rank_region_index"), len(names))
        notes = EventNotes(root, len(index))
        stored = None
        if schema == SCHEMA and index.is_ours and max(sum(index.counts), len(index)) > SMALL:
            with suppress(OSError):  # too many open files
                stored = StoredEvents(root, file, path, index, names, notes, recorded, max_bytes)
        runs = list(read_events(root.group("events"), schema, index.offsets, index.counts)).__getitem__ \
            if stored is None else stored.run

        if stored is not None and index.is_sound and notes.is_sound(METADATA_IDS in stored.known) and \
           ("call_ids" in stored.known) == ("parent_ids" in stored.known) and len({*names}) == len(names):
            trees = Trees(recorded)

            def make(rows: Sequence[int]) -> Iterator[Region]:
                told = [trees.told(names[index.numbers[row]], index.ranks[row]) for row in rows]
                return stored.regions(rows, told)

            regions = StoredRegions(names, index.numbers, index.ranks, make, recorded)
            return ProfilingResults(regions, **facts, file_path=path)
        columns = index.facts(range(len(index)))
        rows = [
            _row(index, names, notes, number, {**dict(zip(columns, known)), **runs(number)})
            for number, known in enumerate(zip(*columns.values()))
        ]
    return ProfilingResults(regions_of(names, with_trees(rows, recorded)), **facts, file_path=path)


def run_facts(file: Group) -> dict[str, Any]:
    """What is known of the run but its regions, as arguments of `ProfilingResults`."""
    number = file.attribute("num_ranks")
    return {
        "metadata": _metadata(file),
        "num_ranks": None if number is None else int(number),
        "event_data_available": bool(file.attribute("event_data_available", True)),
        "threads": read_table(file, "thread_table", ThreadInfo),
        "tasks": read_table(file, "task_table", TaskInfo),
        "recorded": read_recorded(file),
        "line_profile": {
            rank: _read_functions(group.group("line_profile"))
            for rank, group in _rank_groups(file).items()
            if "line_profile" in group
        },
    }


def _metadata(file: Group) -> dict[str, Any]:
    return read_attributes(file.group("metadata")) if "metadata" in file else {}


def _rank_groups(file: Group) -> dict[int, Group]:
    names = (name for name in file if re.fullmatch(r"rank\d{1,10}", name))
    return {checked_rank(int(name[4:])): file.group(name) for name in names}


def _read_functions(group: Group) -> list[dict[str, Any]]:
    return [_read_function(group.group(key)) for key in sorted(group, key=int)]


def _read_function(group: Group) -> dict[str, Any]:
    arrays = {name: group.read(name) for name in LINE_COLUMNS if name in group}
    return {**read_attributes(group), **arrays}


def _row(index: Index, names: list[str], notes: EventNotes, number: int, known: dict[str, Any]) -> Row:
    """A row of schema 2 or 3, of which all is known but the metadata of its calls."""
    known["event_metadata"] = notes.of(number, known.pop(METADATA_IDS, None))
    recorded = index.recorded_columns(number)
    for name in OPTIONAL_COLUMNS:
        if recorded is not None and name not in recorded:
            known.pop(name, None)
    return names[index.numbers[number]], index.ranks[number], known


_REGION_FACTS = ("source_file", "source_lineno", "source_text", "tags")


def _read_groups(file: Group) -> Iterator[Row]:
    """The rows of schema 1: a group for each region on each rank."""
    ranks = _rank_groups(file)
    if not ranks and "metadata" not in file:
        raise ValueError("this is an HDF5 file, but not a profile")
    for rank, group in ranks.items():
        if "regions" not in group:
            continue
        for name, item in _region_groups(group.group("regions"), set()):
            facts = read_attributes(item)
            starts, ends = item.read("start_times"), item.read("end_times")
            known = {"start_times_ns": starts, "durations_ns": ends - starts}
            known.update(
                (column, item.read(column)) for column in OPTIONAL_COLUMNS if column in item
            )
            known.update((key, facts[key]) for key in _REGION_FACTS if key in facts)
            yield name, rank, known


def _region_groups(group: Group, seen: set[int], prefix: str = "") -> Iterator[tuple[str, Group]]:
    """A name with a slash in it is a group within a group, either of which may be a region."""
    if group.identity in seen:
        raise ValueError(f"{group.name} is in two places")
    seen.add(group.identity)
    for key in group:
        item = group[key]
        if isinstance(item, Group):
            if "start_times" in item:
                yield prefix + key, item
            yield from _region_groups(item, seen, f"{prefix}{key}/")
