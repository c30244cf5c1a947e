"""JSON of any value: of what JSON cannot hold, the nearest that it can."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Set
from numbers import Number
from typing import Any

import numpy as np

#: How many values may be within each other; what is deeper is left out.
_DEEPEST = 50

#: Python refuses to write more digits, or to read them, than about 4 000.
_LARGEST = 1 << 10_000


def json_text(value: Any, *, allow_nan: bool = True) -> str:
    """The JSON text of a value, which is ASCII and has no line breaks.

    Tuples and arrays become lists, as sets do; numpy scalars become numbers, paths, bytes, dates
    and decimals strings, keys of mappings too; anything else its `repr`. NaN and infinities are
    written as Python does, which is beyond the standard.

    Raises ValueError where there is a NaN or infinity and `allow_nan` is false.
    """
    try:
        return json.dumps(value, default=_nearest, allow_nan=allow_nan)
    except Exception:
        # A key that is no string, a cycle, an object that fails when looked
        # at, a number of too many digits; or a NaN, which is found again.
        return json.dumps(_rebuilt(value, ()), allow_nan=allow_nan)


def _nearest(value: Any) -> Any:
    """What stands for a value that is of no type that JSON has; may be such a value itself."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        item = value.item()
        # item() of some types, such as long doubles, is of the same type again.
        return str(item) if isinstance(item, np.generic) else item
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return sorted(value, key=repr)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value) if isinstance(value, Number) else repr(value)


def _rebuilt(value: Any, within: tuple[int, ...]) -> Any:
    """The value in types that JSON has, whatever it takes; `within` are the ids around it."""
    try:
        if value is None or isinstance(value, (bool, float, str)):
            return value
        if isinstance(value, int):
            return value if abs(value) < _LARGEST else hex(value)
        if id(value) in within or len(within) > _DEEPEST:
            return "..."
        within = (*within, id(value))
        if isinstance(value, dict):
            return {_key(key): _rebuilt(item, within) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [_rebuilt(item, within) for item in value]
        return _rebuilt(_nearest(value), within)
    except Exception:
        return f"<{type(value).__name__}>"


def _key(key: Any) -> str:
    """As json itself does it: true, null, 1.5."""
    plain = _rebuilt(key, ())
    return plain if isinstance(plain, str) else json.dumps(plain)
