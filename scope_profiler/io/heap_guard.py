"""Reading HDF5 files that are damaged: what HDF5 itself believes of a heap of texts.

HDF5 2.0 still walks through some damaged heaps for ever, where no signal reaches Python, and takes up
to 4 GB for a text before it looks for it. h5py has no check for either, so what HDF5 reads is looked
at on the way.
"""

from __future__ import annotations

import io
import math
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager

#: How a collection of the global heap, in which texts are, begins: signature and version; then
#: its size. Its objects follow: number, references, reserved, size.
_SIGNATURE = b"GCOL\1\0\0\0"
_COLLECTION = struct.Struct("<8sQ")
_OBJECT = struct.Struct("<HH4xQ")
_WORD = (1 << 64) - 1
_ALIGNED = _WORD - 7

#: How an attribute of texts begins: the type, of texts of any length, of which references have 16
#: bytes; then the shape, of which the version tells how long its head is. The references follow:
#: length, address of the collection, number of the object.
_TEXTS = re.compile(
    rb"[\x19\x29\x39\x49\x59]\x01..\x10\0\0\0[\x13\x23\x33\x43\x53]...\x01\0\0\0"
    rb"([\1\2])([\0-\x20])([\0\1])",
    re.DOTALL,
)
_SHAPE_HEADS = {1: 8, 2: 4}
_REFERENCE = 16

#: An attribute begins that much before its references at most.
_LONGEST_HEAD = 1 << 10

#: Reads of what describes the file are shorter; columns are not searched.
_LONGEST_READ = 1 << 16

#: Of the file, what is searched at once.
_BLOCK = 1 << 24


class GuardedFile:
    """The file as HDF5 sees it, to be read.

    Where it is the beginning of a heap that HDF5 would walk through forever, as an object of it is
    free space of size 0, the signature is blotted out, for HDF5 to say that it is damaged.

    The reference to a text has the length for which HDF5 takes memory before it looks at the heap.
    Where one of an attribute is longer than the file, it is blotted out, and `check` raises.
    """

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._position = 0
        self._of_numbers = False
        self._longest: int | None = None
        self._problem: str | None = None

    def check(self) -> None:
        """Raise ValueError where something had to be kept from HDF5."""
        if self._problem is not None:
            raise ValueError(self._problem)

    @contextmanager
    def numbers(self) -> Iterator[None]:
        """What is read inside are numbers, which may look like anything."""
        self._of_numbers = True
        try:
            yield
        finally:
            self._of_numbers = False

    def bytes_at(self, offset: int, size: int) -> bytes:
        """So many bytes of the file, or what there are of them."""
        if not 0 <= offset <= self._size:
            return b""
        size = min(size, self._size - offset)
        data = bytearray(size)
        return bytes(data[: self._fill(memoryview(data), offset)])

    def longest_heap(self) -> int:
        """The size of the largest collection of texts, which no text exceeds."""
        if self._longest is None:
            self._longest = 0
            for begin in range(0, self._size, _BLOCK):
                data = self.bytes_at(begin, _BLOCK + _COLLECTION.size)
                at = data.find(_SIGNATURE)
                while at >= 0:
                    if len(data) - at >= _COLLECTION.size:
                        _, size = _COLLECTION.unpack_from(data, at)
                        self._longest = max(self._longest, min(size, self._size))
                    at = data.find(_SIGNATURE, at + 1)
        return self._longest

    # ---- As HDF5 calls it

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + (self._size if whence else 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        buffer = bytearray(max(min(size, self._size - self._position), 0))
        return bytes(buffer[: self.readinto(buffer)])

    def readinto(self, buffer: bytearray | memoryview) -> int:
        begin, view = self._position, memoryview(buffer)
        length = self._fill(view, begin)
        self._position += length
        if length <= _LONGEST_READ:
            data = bytes(view[:length])
            at = data.find(_SIGNATURE)
            while at >= 0:
                if self._is_endless(begin + at):
                    view[at : at + len(_SIGNATURE)] = bytes(len(_SIGNATURE))
                at = data.find(_SIGNATURE, at + 1)
            if not self._of_numbers:
                self._blot_references(begin, view[:length])
        return length

    def _fill(self, view: memoryview, offset: int) -> int:
        length = 0
        # The operating system reads no more than 2 GiB at once.
        while length < len(view) and (part := self._read_at(view[length:], offset + length)):
            length += part
        return length

    def _read_at(self, view: memoryview, offset: int) -> int:
        """Where the file is open again in a child process, they share its position: leave that."""
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [view], offset)
        self._file.seek(offset)
        return self._file.readinto(view) or 0

    def _blot_references(self, begin: int, view: memoryview) -> None:
        # One may begin in what was read before, or end in what is read next.
        before = min(begin, _LONGEST_HEAD)
        data = self.bytes_at(begin - before, before + len(view) + _REFERENCE)
        for found in _TEXTS.finditer(data):
            version, rank, has_limits = (part[0] for part in found.groups())
            shape = found.start(1) + _SHAPE_HEADS[version]
            dims = struct.unpack_from(f"<{rank}Q", data.ljust(shape + 8 * rank, b"\0"), shape)
            first = shape + 8 * rank * (1 + has_limits)
            for at in range(first, min(first + _REFERENCE * math.prod(dims), len(data) - 3), _REFERENCE):
                length = int.from_bytes(data[at : at + 4], "little")
                if length > self._size:
                    self._problem = f"an attribute has a text of {length} bytes"
                    blot = slice(max(at - before, 0), min(at - before + _REFERENCE, len(view)))
                    view[blot] = bytes(max(blot.stop - blot.start, 0))

    def _is_endless(self, address: int) -> bool:
        head = self.bytes_at(address, _COLLECTION.size)
        if len(head) < _COLLECTION.size:
            return False
        _, size = _COLLECTION.unpack(head)
        if size > self._size:
            return False
        heap = self.bytes_at(address + _COLLECTION.size, size - _COLLECTION.size)
        at = 0
        while at + _OBJECT.size <= len(heap):
            number, _, size = _OBJECT.unpack_from(heap, at)
            # As HDF5 computes it, in 64 bits: a size that is too large may come to nothing.
            step = _OBJECT.size + (size + 7 & _ALIGNED) & _WORD if number else size
            if not step:
                return True
            at += step
        return False
