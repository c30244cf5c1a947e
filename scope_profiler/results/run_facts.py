"""`RunFacts`: what is known of a run besides its regions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._base.arguments import text_or_none
from .._base.file_names import split
from .scalars import known_values

if TYPE_CHECKING:
    from .mpi_region import MPIRegion

#: The entry of the metadata that says what was selected: a list of str.
SELECTION = "selection"


class RunFacts:
    """What `ProfilingResults` takes from its metadata, and the times of its regions."""

    _file_path: Path | None
    _metadata: dict[str, Any]

    if TYPE_CHECKING:  # what ProfilingResults adds

        @property
        def num_ranks(self) -> int: ...
        def __iter__(self) -> Iterator[MPIRegion]: ...

    @property
    def file_path(self) -> Path | None:
        """The file that the results are in; None when in memory only."""
        return self._file_path

    @property
    def metadata(self) -> dict[str, Any]:
        """Facts about the run (a copy)."""
        return dict(self._metadata)

    @property
    def label(self) -> str | None:
        """The name that the run was given, or None. May be set."""
        return self._metadata.get("label")

    @label.setter
    def label(self, label: str | None) -> None:
        if text_or_none("label", label) is None:
            self._metadata.pop("label", None)
        else:
            self._metadata["label"] = label

    @property
    def display_label(self) -> str:
        """The label, or else the name of the file, or else nothing."""
        return self.label or (split(self._file_path.name)[0] if self._file_path else "")

    def default_title(self) -> str:
        """What heads a table: the label, the file, and the number of ranks, or of processes."""
        where = "in memory"
        if self._file_path is not None:
            try:
                where = os.path.relpath(self._file_path)
            except ValueError:  # another drive
                where = str(self._file_path)
        is_job = "launched_ranks" in self._metadata
        ranks = "process" if "process_ids" in self._metadata and not is_job else "rank"
        plural = "" if self.num_ranks == 1 else "es" if ranks == "process" else "s"
        missing = self._metadata.get("missing_ranks", ())
        there = f"{self.num_ranks - len(missing)} of " if missing else ""
        title = f"{where} ({there}{self.num_ranks} {ranks}{plural})"
        title = "; ".join([title, *self._metadata.get(SELECTION, ())])
        return f"{self.label} - {title}" if self.label else title

    @property
    def num_nodes(self) -> int | None:
        """How many machines took part; None when unknown."""
        known = self._metadata_int("num_nodes")
        return 1 if known is None and self.num_ranks == 1 else known

    def _metadata_int(self, key: str) -> int | None:
        value = self._metadata.get(key)
        return value if isinstance(value, int) else None

    def _metadata_seconds(self, key: str) -> float | None:
        value = self._metadata_int(key)
        return None if value is None else value / 1e9

    # -- its times, in seconds -------------------------------------------------

    @property
    def minimum_start_time(self) -> float:
        """When the first call started; 0.0 when unknown."""
        return min(known_values(self, "first_start_time_ns"), default=0) / 1e9

    @property
    def maximum_end_time(self) -> float:
        """When the last call ended; 0.0 when unknown."""
        return max(known_values(self, "last_end_time_ns"), default=0) / 1e9

    @property
    def time_span(self) -> float:
        """From the first start to the last end."""
        return self.maximum_end_time - self.minimum_start_time

    @property
    def run_start_time(self) -> float | None:
        """When the run was set up; None when unknown."""
        return self._metadata_seconds("start_time_ns")

    @property
    def finalize_time(self) -> float | None:
        """When the run was finalized; None when unknown."""
        return self._metadata_seconds("finalize_time_ns")

    @property
    def total_time(self) -> float | None:
        """From setup to finalize; None when unknown."""
        start, end = self._metadata_int("start_time_ns"), self._metadata_int("finalize_time_ns")
        return None if start is None or end is None else (end - start) / 1e9

    @property
    def time_origin(self) -> float:
        """What relative times count from: the setup, or else the first start."""
        start = self.run_start_time
        return self.minimum_start_time if start is None else start

    @property
    def startup_time(self) -> float:
        """From the setup to the first call; 0.0 when unknown."""
        first, start = self.minimum_start_time, self.run_start_time
        return first - start if first and start is not None else 0.0
