"""Files of results: HDF5, and JSON."""

from __future__ import annotations

from typing import Any

from .compression import check_compression
from .unreadable import CorruptProfileError, JSONProfileError, UnsupportedProfileError
from .formats import (
    load,
    read_h5,
    read_h5_summary,
    read_json,
    read_profile,
    sniff_profile_format,
    write_profile,
)
from .program_files import load_processes
from .safe_file import replacing

#: Loaded, with numpy and h5py, when it is first asked for.
_LAZY = {"export_json": "json_export", "write_hdf5": "hdf5_writer", "write_json": "json_writer"}

__all__ = [
    "CorruptProfileError",
    "JSONProfileError",
    "UnsupportedProfileError",
    "check_compression",
    "load",
    "load_processes",
    "read_h5",
    "read_h5_summary",
    "read_json",
    "read_profile",
    "replacing",
    "sniff_profile_format",
    "write_profile",
    *_LAZY,
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        from .._base.needs import explained

        with explained():
            return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
