"""Reading groups and datasets of an HDF5 file, of which nothing is taken for granted.

Only what lies in the file itself is read, never what links, virtual datasets or external storage
lead to; and every length is checked before memory is taken for it.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import h5py
import numpy as np

from ..results import blocks
from .allowance import Allowance
from .unreadable import UnsupportedProfileError
from .heap_guard import GuardedFile
from .json_parser import parse_json

#: Numbers of filters in HDF5.
_DEFLATE, _SHUFFLE, _FLETCHER, _LZF, _ZSTD = 1, 2, 3, 32000, 32015

#: Deflate makes nothing smaller than this part of it; and smaller pieces need no closer look.
_DEFLATED, _SMALL = 1032, 1 << 16

#: A chunk may be stored in so many bytes more than it has: what cannot be compressed.
_LONGER = 1 << 12

#: Chunks that nothing was written to are not in the file.
_UNWRITTEN = 1 << 20

#: What stands for a text in a dataset: length, and address and number in a heap.
_REFERENCE = np.dtype([("length", "<u4"), ("heap", "<u8"), ("number", "<u4")])

#: Of a text as an object of Python, besides its bytes.
_OBJECT = 64


class Group:
    """A group to be read: a mapping from names to `Group` and `Dataset`, which lie in this file."""

    def __init__(self, group: h5py.Group, file: GuardedFile, allowance: Allowance) -> None:
        self._group = group
        self._file = file
        self.allowance = allowance

    @property
    def name(self) -> str:
        """The path of the group in the file, without a slash at the end."""
        return self._group.name.rstrip("/")

    @property
    def identity(self) -> int:
        """The same number for the same group, whatever way led to it."""
        return h5py.h5o.get_info(self._group.id).addr

    def __contains__(self, name: str) -> bool:
        key = name.encode("utf-8", "surrogateescape")
        return "/" not in name and self._group.id.links.exists(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._group)

    def __getitem__(self, name: str) -> Any:
        """The member of that name.

        Raises ValueError, naming it, when it is missing or not in this file.
        """
        path = f"{self.name}/{name}"
        if name not in self:
            raise ValueError(f"{path} is missing")
        link = self._group.id.links.get_info(name.encode("utf-8", "surrogateescape"))
        if link.type != h5py.h5l.TYPE_HARD:
            raise ValueError(f"{path} is a link to elsewhere, which is not followed")
        item = self._group[name]
        if isinstance(item, h5py.Group):
            return Group(item, self._file, self.allowance)
        if isinstance(item, h5py.Dataset):
            return Dataset(item, self._file, self.allowance)
        raise ValueError(f"{path} is neither a group nor a dataset")

    def group(self, name: str) -> Group:
        """The member of that name; ValueError when it is no group."""
        item = self[name]
        if not isinstance(item, Group):
            raise ValueError(f"{self.name}/{name} is no group")
        return item

    def dataset(self, name: str) -> Dataset:
        """The member of that name; ValueError when it is no dataset."""
        item = self[name]
        if not isinstance(item, Dataset):
            raise ValueError(f"{self.name}/{name} is no dataset")
        return item

    def read(self, name: str) -> np.ndarray:
        """The values of the dataset of that name; raises as `Dataset.read` does."""
        return self.dataset(name).read()

    def json(self, text: str | bytes, what: str) -> Any:
        """What a text in JSON says; raises ValueError where it is none, or takes too much."""
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return parse_json(data, self.allowance, what)

    def attributes(self) -> dict[str, Any]:
        """The attributes, as h5py has them; raises ValueError for what they should not be."""
        return {name: self.attribute(name) for name in self._group.attrs}

    def attribute(self, name: str, otherwise: Any = None) -> Any:
        """One attribute, or `otherwise` where there is none of that name."""
        if name not in self._group.attrs:
            return otherwise
        attribute = self._group.attrs.get_id(name)
        what = f"attribute {name!r} of {self.name or '/'}"
        if attribute.get_type().committed():
            raise ValueError(f"{what} has a type that is kept elsewhere")
        if attribute.shape is not None:
            count = math.prod(attribute.shape)
            size = count * attribute.get_type().get_size()
            if h5py.check_string_dtype(attribute.dtype) and attribute.dtype.hasobject:
                size += count * _OBJECT
                if count * self.allowance.file_size > self.allowance.left:
                    self.allowance.check(count * self._file.longest_heap(), what)
            elif attribute.dtype.hasobject:
                raise ValueError(f"{what} has values of the type {attribute.dtype}")
            self.allowance.take(size, what)
        return self._group.attrs[name]


class Dataset:
    """A column to be read.

    Raises ValueError where its values are in other files.
    """

    def __init__(self, dataset: h5py.Dataset, file: GuardedFile, allowance: Allowance) -> None:
        self._dataset = dataset
        self._file = file
        self._allowance = allowance
        self._properties = dataset.id.get_create_plist()
        layout = self._properties.get_layout()
        if layout == h5py.h5d.VIRTUAL or self._properties.get_external_count():
            raise ValueError(f"{self.name} has its values in other files, which are not read")
        self._is_contiguous = layout == h5py.h5d.CONTIGUOUS
        self._is_checked = False

    @property
    def name(self) -> str:
        """The path of the dataset in the file."""
        return self._dataset.name

    @property
    def is_text(self) -> bool:
        """Whether the values are texts of any length."""
        dtype = self._dataset.dtype
        return dtype.hasobject and h5py.check_string_dtype(dtype) is not None

    @property
    def fields(self) -> tuple[str, ...] | None:
        """Names of the parts of a value; None where it has none."""
        return self._dataset.dtype.names

    def __len__(self) -> int:
        if len(self._shape) != 1:
            raise ValueError(f"{self.name} is no column: its shape is {self._shape}")
        return self._shape[0]

    @property
    def _shape(self) -> tuple[int, ...]:
        return self._dataset.shape or ()

    def read(self, length: int | None = None) -> np.ndarray:
        """The values, or the first `length` of them; text as bytes.

        Raises ValueError where there are more than the file can hold, or more
        than may be read of a file. Raises UnsupportedProfileError where
        decompressing takes hdf5plugin, which is not installed.
        """
        dtype = self._dataset.dtype
        filters = self.check()
        if self.is_text:
            self._check_texts(filters)
            return np.asarray(self._dataset[()] if not self._shape else self._dataset[:length], object)
        if dtype.hasobject:
            raise ValueError(f"{self.name} has values of the type {dtype}")
        with self._file.numbers():
            self._check_chunks(filters)
            if len(self._shape) != 1:
                return self._dataset[...]
            chunks = self._dataset.chunks
            values = np.empty(self._shape[0] if length is None else length, dtype)
            for rows in blocks(len(values), chunk=chunks and chunks[0]):
                self._dataset.read_direct(values, rows, rows)
            return values

    def read_rows(self, rows: slice) -> np.ndarray:
        """Some of the numbers, as often as they are wanted; raises as `read` does."""
        with self._file.numbers():
            if not self._is_checked:
                self._check_chunks(self.check())
                self._is_checked = True
            return np.asarray(self._dataset[rows])

    def check(self) -> list[Any]:
        """Look at lengths and filters, and give the filters; raises as `read` does."""
        size = math.prod(self._shape) * self._dataset.id.get_type().get_size()
        filters = self._filters()
        if not filters and size > self._allowance.file_size + _UNWRITTEN:
            raise ValueError(
                f"{self.name} has {math.prod(self._shape)} values, more than the file can hold"
            )
        self._allowance.take(size, self.name)
        return filters

    @property
    def is_integers(self) -> bool:
        """Whether the values are integers."""
        return self._dataset.dtype.kind in "iu"

    def _check_texts(self, filters: list[Any]) -> None:
        """What the references to texts say of their lengths, on which HDF5 relies."""
        count = math.prod(self._shape)
        offset = self._dataset.id.get_offset()
        if filters or not self._is_contiguous and count:
            raise UnsupportedProfileError(f"has texts in pieces, as {self.name}")
        if not count or offset is None:
            return
        data = self._file.bytes_at(offset, count * _REFERENCE.itemsize)
        references = np.frombuffer(data, _REFERENCE)
        if self._dataset.id.get_storage_size() != len(data):
            raise ValueError(f"{self.name} has texts of a type that is not known")
        lengths = references["length"]
        if lengths.max() > self._allowance.file_size:
            raise ValueError(f"{self.name} has a text of {lengths.max()} bytes")
        self._allowance.take(int(lengths.sum(dtype=np.int64)) + count * _OBJECT, self.name)

    def _filters(self) -> list[Any]:
        """Number, flags, values and name of each filter.

        Raises UnsupportedProfileError where one is not there.
        """
        filters = [self._properties.get_filter(n) for n in range(self._properties.get_nfilters())]
        missing = [entry for entry in filters if not h5py.h5z.filter_avail(entry[0])]
        if missing:
            _load_plugin(*missing[0])
        return filters

    def _check_chunks(self, filters: list[Any]) -> None:
        """That pieces unpack to what they should, before memory is taken for what they say."""
        if self._dataset.chunks is None:
            return
        size = math.prod(self._dataset.chunks) * self._dataset.id.get_type().get_size()
        self._allowance.check(size, self.name)
        packing = [entry for entry in filters if entry[0] not in (_SHUFFLE, _FLETCHER)]
        if not packing:
            return
        if len(packing) > 1:
            raise ValueError(f"{self.name} is compressed several times")
        [(code, _, values, _)] = packing
        if code == _LZF and len(values) > 2 and values[2] > size:
            raise ValueError(f"{self.name} has pieces that unpack to {values[2]} bytes, not {size}")
        for chunk in self._chunks():
            if chunk.size > size + size // 8 + _LONGER:
                raise ValueError(f"{self.name} has a piece that is longer than what it unpacks to")
            if code == _DEFLATE and chunk.size > _SMALL:
                if chunk.size * _DEFLATED > self._allowance.left:
                    self._check_deflated(chunk, size)
            elif code == _ZSTD:
                unpacked = _size_of_zstd(self._file.bytes_at(chunk.byte_offset, _ZSTD_HEADER))
                if unpacked > size:
                    raise ValueError(f"{self.name} has a piece that unpacks to {unpacked} bytes")

    def _chunks(self) -> list[Any]:
        chunks: list[Any] = []
        if hasattr(self._dataset.id, "chunk_iter"):
            self._dataset.id.chunk_iter(chunks.append)
            return chunks
        number = self._dataset.id.get_num_chunks()
        return [self._dataset.id.get_chunk_info(index) for index in range(number)]

    def _check_deflated(self, chunk: Any, size: int) -> None:
        data = self._file.bytes_at(chunk.byte_offset, chunk.size)
        with suppress(zlib.error):  # which HDF5 finds as well
            if len(zlib.decompressobj().decompress(data, size + 1)) > size:
                raise ValueError(f"{self.name} has a piece that unpacks to more than {size} bytes")


#: The longest that the header of what zstd packed can be, but for what we do not need of it.
_ZSTD_HEADER = 18


def _size_of_zstd(head: bytes) -> int:
    """How many bytes it says that it unpacks to; 0 where it does not say."""
    if len(head) < 6 or head[:4] != b"\x28\xb5\x2f\xfd":
        return 0
    described, at = head[4], 5
    single = described >> 5 & 1
    at += (1 - single) + (0, 1, 2, 4)[described & 3]
    width = (single, 2, 4, 8)[described >> 6]
    return int.from_bytes(head[at : at + width], "little") + (256 if width == 2 else 0)


def _load_plugin(code: int, _flags: int, _values: Any, name: bytes) -> None:
    with suppress(ImportError):
        # Importing it registers what it has.
        import hdf5plugin  # noqa: F401
    if not h5py.h5z.filter_avail(code):
        text = name.decode("utf-8", "replace").partition(";")[0] or code
        raise UnsupportedProfileError(
            f"is compressed with {text}, which needs hdf5plugin: pip install hdf5plugin"
        )
