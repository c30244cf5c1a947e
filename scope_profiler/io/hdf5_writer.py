"""Writing results in HDF5; the layout is described in `hdf5_schema`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..results import ProfilingResults
from .compression import Compression, check_compression
from .hdf5_events import EventWriter
from .hdf5_index import write_index
from .hdf5_threads import write_table
from .hdf5_metadata import write_event_metadata
from .hdf5_recorded import write_recorded
from .hdf5_schema import SCHEMA
from .hdf5_texts import write_attributes, write_texts
from .held_signals import HeldSignals
from .region_rows import calls_were_read
from .safe_file import SafeFile, replacing


def write_hdf5(
    results: ProfilingResults,
    path: str | os.PathLike[str],
    *,
    compression: str | None = None,
    compression_level: int | None = None,
    chunk_size: int | None = None,
    place: Callable[[str, str], None] = os.replace,
    fill: Callable[[str], None] | None = None,
) -> Path:
    """Write results to `path`, replacing in one step what is there; return the path.

    Besides the results, `BLOCK` calls of one column, or a chunk of it, are held in memory.

    results: The results; nothing of them is lost.
    path: The file, whatever its suffix.
    compression, compression_level, chunk_size: How the columns are stored; see `check_compression`.
        Readers need not know.
    place: What gives the file its name; see `replacing`.
    fill: Writes the calls, into the new file, by the name that it has until it is whole; see `hdf5_parallel`.
        Not with compression.

    Raises TypeError, ValueError or ImportError when `check_compression` does.
    Raises OSError when the file cannot be written; it is then as it was.
    """
    settings = check_compression(compression, compression_level, chunk_size)
    # The format is that of HDF5 1.8, the smallest that every tool reads.
    with replacing(path, place) as file, HeldSignals() as signals:
        output = SafeFile(file, signals)
        try:
            with h5py.File(output, "w", libver=("v108", "latest")) as root:
                _write(results, root, output, settings, fill is not None)
        finally:
            # Raise the first failure to write, rather than what HDF5 made of it.
            output.check()
        if fill is not None:
            fill(file.name)
            signals.deliver()
    return Path(path)


def _write(
    results: ProfilingResults, file: h5py.File, output: SafeFile, compression: Compression, only_room: bool
) -> None:
    rows = [
        (number, rank, of_rank)
        for number, region in enumerate(results) for rank, of_rank in region.regions.items()
    ]
    numbers, ranks, regions = map(list, zip(*rows)) if rows else ([], [], [])
    counts = np.array([region.num_events for region in regions], np.int64)
    aggregate = not counts.any() and any(region.num_calls for region in regions)

    file.attrs["scope_profiler_schema"] = np.int64(SCHEMA)
    file.attrs["storage_layout"] = "aggregate" if aggregate else "columnar"
    file.attrs["num_ranks"] = np.int64(results.num_ranks)
    file.attrs["event_data_available"] = calls_were_read(results)
    write_attributes(file.create_group("metadata"), results.metadata)
    write_texts(file.create_group("region_table"), "names", results.region_names)
    write_index(file.create_group("rank_region_index"), numbers, ranks, regions, counts, aggregate)

    most_nodes = max((len(tree.nodes) for tree in results.recorded.values()), default=0)
    events = EventWriter(
        file.create_group("events"), regions, counts, output, compression, most_nodes, only_room)
    events.write()
    write_event_metadata(file, regions, events, compression)
    write_table(file, "thread_table", results.threads)
    write_table(file, "task_table", results.tasks)
    write_recorded(file, results.recorded)

    for rank, functions in results.line_profile.items():
        group = file.create_group(f"rank{rank}/line_profile")
        for number, function in enumerate(functions):
            output.check()
            _write_function(group.create_group(str(number)), function)


def _write_function(group: h5py.Group, function: Mapping[str, Any]) -> None:
    arrays = {name: value for name, value in function.items() if isinstance(value, np.ndarray)}
    for name, array in arrays.items():
        group[name] = array
    write_attributes(group, {name: value for name, value in function.items() if name not in arrays})
