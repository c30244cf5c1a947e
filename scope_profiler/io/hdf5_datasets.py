"""Reading the datasets of an HDF5 file, of which nothing is taken for granted."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import h5py
import numpy as np

from .errors import UnsupportedProfileError

#: What a filter cannot make smaller: so many bytes take one at least.
_DENSEST = 40_000

#: Chunks that nothing was written to are not in the file.
_UNWRITTEN = 1 << 20


def member(group: h5py.Group, name: str) -> Any:
    """The member of a group.

    Raises ValueError, naming both, when it is missing.
    """
    if name not in group:
        raise ValueError(f"{group.name.rstrip('/')}/{name} is missing")
    return group[name]


def read(dataset: h5py.Dataset, length: int | None = None) -> np.ndarray:
    """The values of a dataset, or the first `length` of them.

    Raises ValueError where there are more than the file can hold: of a
    damaged one, HDF5 would go on reading for hours. Raises
    UnsupportedProfileError where decompressing takes hdf5plugin, which is
    not installed.
    """
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(number) for number in range(properties.get_nfilters())]
    size = dataset.size * dataset.id.get_type().get_size()
    file = h5py.h5i.get_file_id(dataset.id)
    holds = file.get_filesize() * (_DENSEST if filters else 1) + _UNWRITTEN
    if size > holds:
        raise ValueError(f"{dataset.name} has {dataset.size} values, more than the file can hold")
    missing = [entry for entry in filters if not h5py.h5z.filter_avail(entry[0])]
    if missing:
        _load_plugin(*missing[0])
    return dataset[...] if length is None else dataset[:length]


def _load_plugin(code: int, _flags: int, _values: Any, name: bytes) -> None:
    with suppress(ImportError):
        # Importing it registers what it has.
        import hdf5plugin  # noqa: F401
    if not h5py.h5z.filter_avail(code):
        text = name.decode("utf-8", "replace").partition(";")[0] or code
        raise UnsupportedProfileError(
            f"is compressed with {text}, which needs hdf5plugin: pip install hdf5plugin"
        )
