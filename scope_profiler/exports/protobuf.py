"""The wire format of protocol buffers, as much of it as a trace needs.

A message is its fields one after the other, each behind the number of the field and a kind: an integer of
variable length, 7 bits to the byte, or bytes behind their number.
"""

from __future__ import annotations

import struct

import numpy as np


def varint(value: int) -> bytes:
    """An integer from 0 to 2**64 - 1; negative ones become two's complements of 64 bits."""
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def integer(field: int, value: int) -> bytes:
    """A field with an integer."""
    return varint(field << 3) + varint(value)


def text(field: int, value: str | bytes) -> bytes:
    """A field with a text, or with the bytes of a message."""
    if isinstance(value, str):
        value = value.encode("utf-8", "backslashreplace")
    return varint(field << 3 | 2) + varint(len(value)) + value


def double(field: int, value: float) -> bytes:
    """A field with a float."""
    return varint(field << 3 | 1) + struct.pack("<d", value)


def fixed(field: int, value: int) -> bytes:
    """A field with an integer of 64 bits as such."""
    return varint(field << 3 | 1) + struct.pack("<Q", value)


def width_of(largest: int) -> int:
    """How many bytes an integer takes."""
    return len(varint(largest))


def varints(values: np.ndarray, width: int) -> np.ndarray:
    """uint8 [n, width]: integers from 0 on, each in so many bytes: shorter ones are filled up by bytes
    that add nothing, which readers take."""
    shifts = np.arange(0, 7 * width, 7)
    found = (values[:, None] >> shifts & 0x7F).astype(np.uint8)
    found[:, :-1] |= 0x80
    return found
