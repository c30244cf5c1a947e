"""Filters of HDF5, which decompress a column when it is read."""

from __future__ import annotations

from contextlib import suppress

import h5py

from .errors import UnsupportedProfileError


def load_filters(dataset: h5py.Dataset) -> None:
    """See to it that a dataset can be read, however it is compressed.

    Raises UnsupportedProfileError where that takes hdf5plugin, which is not installed.
    """
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(number) for number in range(properties.get_nfilters())]
    if all(h5py.h5z.filter_avail(code) for code, *_ in filters):
        return
    with suppress(ImportError):
        # Importing it registers what it has.
        import hdf5plugin  # noqa: F401
    for code, _, _, name in filters:
        if not h5py.h5z.filter_avail(code):
            text = name.decode("utf-8", "replace") or code
            raise UnsupportedProfileError(
                f"{dataset.file.filename} is compressed with {text}; reading it needs hdf5plugin: "
                "pip install hdf5plugin"
            )
