"""`NoCounters`: the answers about hardware counters, which this version does not keep."""

from __future__ import annotations

import sys
from typing import Any

from .._base.arguments import stream as checked_stream
from .data_frames import pandas


class NoCounters:
    """What programs ask `ProfilingResults` about LIKWID and perf events: there are none."""

    has_likwid = False
    has_perf_events = False

    @property
    def likwid_ranks(self) -> list[int]:
        """The ranks with LIKWID results: none."""
        return []

    def get_likwid_regions(self, rank: int | None = None) -> dict[Any, Any]:
        """LIKWID results by rank, or by region on one rank: none."""
        return {}

    def get_likwid_region(self, tag: str, rank: int = 0) -> Any:
        """The LIKWID results of a region. Raises KeyError, as there are none."""
        raise KeyError(f"there are no LIKWID results of region {tag!r} on rank {rank}")

    def likwid_to_dataframe(self) -> Any:
        """All LIKWID results as a pandas DataFrame, which is empty.

        Raises ImportError when pandas is not installed.
        """
        return pandas("likwid_to_dataframe").DataFrame([])

    def print_likwid_summary(self, stream: Any = None) -> None:
        """Say on `stream` (None: sys.stdout) that there are none."""
        stream = sys.stdout if stream is None else checked_stream("stream", stream)
        print("There are no LIKWID results.", file=stream)

    def get_perf_events(self, rank: int | None = None) -> dict[Any, Any]:
        """Counts of perf events by rank, or by region on one rank: none."""
        return {}
