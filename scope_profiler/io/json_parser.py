"""Parsing JSON, of which it is estimated before what it takes as objects of Python."""

from __future__ import annotations

import json
from typing import Any

from .allowance import Allowance


#: What objects of Python take at most, in bytes, by what begins or separates them in JSON.
_JSON_SIZES = {b"[": 72, b"{": 72, b",": 64, b":": 200}


def parse_json(text: bytes | bytearray, allowance: Allowance, what: str) -> Any:
    """What a text in JSON says.

    Raises ValueError where it takes more memory than is left, and where it is not JSON.
    """
    size = len(text) * (1 if text.isascii() else 4)
    size += sum(text.count(sign) * size for sign, size in _JSON_SIZES.items())
    allowance.take(size, what)
    return json.loads(text)
