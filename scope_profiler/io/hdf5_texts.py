"""Texts and attributes in HDF5, which has no text with a NUL and none that is not UTF-8."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import h5py
import numpy as np

from .hdf5_datasets import Group

TEXT = h5py.string_dtype()

#: Added to the name of a column of texts: the texts as JSON, where HDF5 cannot hold them all as
#: they are. Within a group: its attributes as JSON, for the same reason.
EXACT = "_exact"

#: In characters; HDF5 has no more than 64 KiB for an attribute, its name included.
_LONGEST_NAME = 10_000


def write_texts(group: h5py.Group, name: str, texts: Iterable[str]) -> None:
    """A column of texts, [texts]."""
    values = list(texts)
    different = dict.fromkeys(values)
    encoded = {text: _encoded(text) for text in different}
    data = np.array([*map(encoded.__getitem__, values)], object)
    group.create_dataset(name, (len(values),), TEXT, data=data)
    if not _is_kept("\n".join(different)):
        exact = [json.dumps(text) for text in values]
        group.create_dataset(name + EXACT, (len(values),), TEXT, data=exact)


def read_texts(group: Group, name: str) -> list[str]:
    """What `write_texts` wrote; raises ValueError for anything else."""
    exact = name + EXACT in group
    texts = group.read(name + EXACT if exact else name).tolist()
    different = {*texts}
    if not all(isinstance(text, bytes) for text in different):
        raise ValueError(f"{group.name}/{name} is no column of texts")
    decoded = {text: group.json(text, name) if exact else _decoded(text) for text in different}
    return [*map(decoded.__getitem__, texts)]


def write_attributes(group: h5py.Group, values: Mapping[str, Any]) -> None:
    """Str, int, float, bool and lists of str as attributes of a group."""
    exact = True
    for name, value in values.items():
        key = _encoded(name[:_LONGEST_NAME], "backslashreplace") or b" "
        exact = exact and _decoded(key) == name
        if isinstance(value, str):
            group.attrs.create(key, _encoded(value), dtype=TEXT)
            exact = exact and _is_kept(value)
        elif isinstance(value, list):
            group.attrs.create(key, [_encoded(text) for text in value], (len(value),), TEXT)
            exact = exact and _is_kept("\n".join(value))
        else:
            group.attrs[key] = value
    if not exact:
        group[EXACT] = json.dumps(dict(values))


def read_attributes(group: Group) -> dict[str, Any]:
    """What `write_attributes` wrote, or others."""
    if EXACT in group:
        return group.json(group.dataset(EXACT).read().item(), f"{group.name}/{EXACT}")
    return {name: _plain(value) for name, value in group.attributes().items()}


def _plain(value: Any) -> Any:
    if isinstance(value, h5py.Empty):
        return None
    if isinstance(value, bytes):
        return _decoded(value)
    if isinstance(value, np.generic):
        return value.item()
    return [_plain(item) for item in value] if isinstance(value, np.ndarray) else value


def _is_kept(text: str) -> bool:
    """Whether it is read as it was written."""
    try:
        return "\0" not in text and _decoded(text.encode("utf-8", "surrogateescape")) == text
    except UnicodeEncodeError:
        return False


def _encoded(text: str, errors: str = "surrogateescape") -> bytes:
    """UTF-8, whatever the text: names of files need not be valid, and HDF5 ends a text at NUL."""
    text = text.replace("\0", "\N{SYMBOL FOR NULL}")
    try:
        return text.encode("utf-8", errors)
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
