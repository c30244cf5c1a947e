"""Files of results: HDF5, JSON and Parquet; traces of native code, to be read."""

from __future__ import annotations

from typing import Any

from .compression import check_compression
from .unreadable import CorruptProfileError, JSONProfileError, UnsupportedProfileError
from .formats import (
    convert,
    read_h5,
    read_h5_summary,
    read_json,
    read_profile,
    sniff_profile_format,
    write_profile,
)
from .program_files import load, load_processes
from .safe_file import replacing

#: Loaded, with numpy and h5py, when it is first asked for.
_LAZY = {
    "TraceFormatError": "spt_reader",
    "convert_traces": "spt_reader",
    "export_json": "json_export",
    "find_traces": "spt_reader",
    "load_traces": "spt_reader",
    "write_hdf5": "hdf5_writer",
    "write_json": "json_writer",
    "write_parquet": "parquet_writer",
}

__all__ = [
    "CorruptProfileError",
    "JSONProfileError",
    "UnsupportedProfileError",
    "check_compression",
    "convert",
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
