"""ProfilingH5Reader: how results were read before there was load()."""

from __future__ import annotations

import os

from .io import CorruptProfileError, load, read_h5, read_h5_summary
from .results import ProfilingResults
from ._base.warning import warn

__all__ = ["CorruptProfileError", "ProfilingH5Reader", "read_h5", "read_h5_summary"]


class ProfilingH5Reader(ProfilingResults):
    """The results in a file: load(file_path), or ProfilingResults.from_h5(file_path), as it is
    spelled today. Issues a DeprecationWarning that says so, and raises what load() raises."""

    def __init__(self, file_path: str | os.PathLike[str], verbose: bool = False) -> None:
        warn(
            "ProfilingH5Reader(path) is spelled load(path) or ProfilingResults.from_h5(path) today",
            DeprecationWarning,
        )
        vars(self).update(vars(load(file_path, verbose)))
