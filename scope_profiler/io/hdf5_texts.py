"""Texts and attributes in HDF5, which has no text with a NUL and none that is not UTF-8."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
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


def write_texts(
    group: h5py.Group, name: str, values: Iterable[Any], text_of: Callable[[Any], str] = str
) -> None:
    """A column of texts, [values], of which many may be alike; text_of: gives that of a value."""
    values = list(values)
    texts = {value: text_of(value) for value in dict.fromkeys(values)}
    _write(group, name, values, texts, _all_encoded([*texts.values()]))
    if not _is_kept("\n".join(texts.values())):
        _write(group, name + EXACT, values, texts, [json.dumps(text) for text in texts.values()])


def _write(
    group: h5py.Group, name: str, values: list[Any], different: Iterable[Any], written: list[Any]
) -> None:
    """A column of values, of which the different ones are written so."""
    if len(written) == 1:
        data = np.full(len(values), written[0], object)
    elif len(written) == len(values):
        data = np.array(written, object)
    else:
        data = np.array([*map(dict(zip(different, written)).__getitem__, values)], object)
    group.create_dataset(name, (len(values),), TEXT, data=data)


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


def _all_encoded(texts: list[str]) -> list[bytes]:
    """Each as `_encoded` has it; together, where none has anything special."""
    together = "\0".join(texts)
    if together.count("\0") == len(texts) - 1 and together.isascii():
        return together.encode("ascii").split(b"\0")
    return [*map(_encoded, texts)]


def _encoded(text: str, errors: str = "surrogateescape") -> bytes:
    """UTF-8, whatever the text: names of files need not be valid, and HDF5 ends a text at NUL."""
    text = text.replace("\0", "\N{SYMBOL FOR NULL}")
    try:
        return text.encode("utf-8", errors)
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
