"""JSON text in pieces, so that a document of millions of numbers is never in memory as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..results import blocks
from .json_values import json_text

#: The member of a document that says which nulls stand for what JSON has no number for.
NONFINITE = "nonfinite"


def json_pieces(
    document: Mapping[str, Any], indent: int | str | None = None,
    advance: Callable[[int], None] = lambda more: None,
) -> Iterator[str]:
    """The text of a document, which is ASCII and strictly JSON.

    Besides what `json_text` takes, there may be integer and float arrays, which become lists, and
    iterators, which become lists as well and are asked for an item when it is written. With
    `indent`, the members of mappings and the items of iterators are on lines of their own.

    advance: Told how many more numbers of arrays are in what has been asked for.

    NaN and infinities become null; a last member `NONFINITE` has a list
    of ``[path, text]`` for them, path being the keys and indices that lead there.
    """
    pieces = _Pieces(" " * indent if isinstance(indent, int) else indent, advance)
    yield from pieces.of({**document, NONFINITE: pieces.nonfinite}, ())


def restore_nonfinite(document: dict[str, Any]) -> None:
    """Put the NaNs and infinities of a document that was read back in their places."""
    for path, text in document.get(NONFINITE, ()):
        *within, last = path
        place: Any = document
        for step in within:
            place = place[step]
        place[last] = float(text)


class _Pieces:
    def __init__(self, indent: str | None, advance: Callable[[int], None]) -> None:
        self._indent, self._advance = indent, advance
        self.nonfinite: list[tuple[list[str | int], str]] = []

    def of(self, value: Any, path: tuple[str | int, ...]) -> Iterator[str]:
        if isinstance(value, Mapping):
            members = ((f"{json_text(str(key))}: ", str(key), item) for key, item in value.items())
            yield from self._several("{}", members, path)
        elif isinstance(value, Iterator):
            items = (("", index, item) for index, item in enumerate(value))
            yield from self._several("[]", items, path)
        elif isinstance(value, np.ndarray):
            yield from self._array(value, path)
        elif isinstance(value, float):
            yield self._float(value, path)
        else:
            yield from self._plain(value, path)

    def _several(
        self,
        brackets: str,
        members: Iterable[tuple[str, str | int, Any]],
        path: tuple[str | int, ...],
    ) -> Iterator[str]:
        line = "" if self._indent is None else "\n" + self._indent * len(path)
        deeper = "" if self._indent is None else line + self._indent
        between = ", " if self._indent is None else ","
        separator = brackets[0]
        for text, step, value in members:
            yield separator + deeper + text
            yield from self.of(value, (*path, step))
            separator = between
        yield brackets if separator != between else line + brackets[1]

    def _array(self, array: np.ndarray, path: tuple[str | int, ...]) -> Iterator[str]:
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            yield from self.of(iter(array.tolist()), path)
            return
        separator = "["
        for rows in blocks(len(array)):
            yield separator + json.dumps(array[rows].tolist(), separators=(",", ":"))[1:-1]
            separator = ","
            self._advance(rows.stop - rows.start)
        yield "[]" if separator == "[" else "]"

    def _float(self, value: float, path: tuple[str | int, ...]) -> str:
        if np.isfinite(value):
            return repr(float(value))
        self.nonfinite.append((list(path), repr(float(value))))
        return "null"

    def _plain(self, value: Any, path: tuple[str | int, ...]) -> Iterator[str]:
        try:
            yield json_text(value, allow_nan=False)
        except ValueError:
            # There is a NaN or infinity somewhere in it.
            plain = json.loads(json_text(value))
            yield from self.of(iter(plain) if isinstance(plain, list) else plain, path)
