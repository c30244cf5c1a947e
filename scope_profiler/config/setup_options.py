"""SetupOptions: the settings of setup() by keyword, for type checkers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping  # noqa: F401 - in annotations, as what follows
from os import PathLike  # noqa: F401
from typing import Any, TypedDict  # noqa: F401

from .options import GPUOptions, HDF5Options, MemrayOptions  # noqa: F401
from .table import TABLE, annotation

SetupOptions = TypedDict(
    "SetupOptions", {row.name: annotation(row) for row in TABLE}, total=False
)
SetupOptions.__doc__ = """What setup(), session() and their like take as **settings; None means not given.

For functions that pass settings on: `def measure(**settings: Unpack[SetupOptions])`. The
settings are those of ProfilingOptions, without the older spellings.
"""
