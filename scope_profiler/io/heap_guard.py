"""Reading HDF5 files that are damaged: HDF5 may not come back from a damaged heap of texts."""

from __future__ import annotations

import io
import os
import struct

#: How a collection of the global heap, in which texts are, begins: signature and version; then
#: its size. Its objects follow: number, references, reserved, size.
_SIGNATURE = b"GCOL\1\0\0\0"
_COLLECTION = struct.Struct("<8sQ")
_OBJECT = struct.Struct("<HH4xQ")

#: Reads of what describes the file are shorter; columns are not searched.
_LONGEST_READ = 1 << 16


class GuardedFile:
    """The file as HDF5 sees it, to be read.

    Where it is the beginning of a heap that HDF5 would walk through forever,
    as an object of it is free space of size 0, the signature is blotted out,
    for HDF5 to say that it is damaged.
    """

    def __init__(self, file: io.FileIO) -> None:
        self._file = file

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int) -> bytes:
        buffer = bytearray(size)
        return bytes(buffer[: self.readinto(buffer)])

    def readinto(self, buffer: bytearray | memoryview) -> int:
        begin = self._file.tell()
        view, length = memoryview(buffer), 0
        # The operating system reads no more than 2 GiB at once.
        while length < len(view) and (part := self._file.readinto(view[length:])):
            length += part
        if length <= _LONGEST_READ:
            data = bytes(view[:length])
            at = data.find(_SIGNATURE)
            while at >= 0:
                if self._is_endless(begin + at):
                    view[at : at + len(_SIGNATURE)] = bytes(len(_SIGNATURE))
                at = data.find(_SIGNATURE, at + 1)
        return length

    def _is_endless(self, address: int) -> bool:
        self._file.seek(address)
        head = self._file.read(_COLLECTION.size)
        if len(head) < _COLLECTION.size:
            return False
        _, size = _COLLECTION.unpack(head)
        if size > os.fstat(self._file.fileno()).st_size:
            return False
        heap = self._file.read(size - _COLLECTION.size)
        at = 0
        while at + _OBJECT.size <= len(heap):
            number, _, size = _OBJECT.unpack_from(heap, at)
            if number:
                at += _OBJECT.size + -(-size // 8) * 8
            elif size:
                at += size
            else:
                return True
        return False
