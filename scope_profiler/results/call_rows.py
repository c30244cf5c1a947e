"""`CallRows`: calls as dicts that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .columns import blocks

if TYPE_CHECKING:
    from .call_stack import CallArrays
    from .event_columns import EventColumns


class CallRows(Sequence):
    """A dict for each call: a sequence like a list of them, of which none is kept.

    It can be indexed, iterated over and compared with lists; a slice is a list.
    `list()` of it, which json and others need, holds all dicts at once.
    """

    def __init__(
        self,
        length: int,
        columns: Callable[[], CallArrays | EventColumns],
        dicts: Callable[[slice], list[dict[str, Any]]],
    ) -> None:
        self._length = length
        self._columns = columns
        self._dicts = dicts

    @cached_property
    def columns(self) -> Any:
        """What the dicts are made of: `CallArrays` of a call stack, `EventColumns` of events."""
        return self._columns()

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            chosen = range(self._length)[index]
            if chosen.step == 1:
                return self._dicts(slice(chosen.start, chosen.stop))
            return [self[place] for place in chosen]
        place = range(self._length)[index]
        return self._dicts(slice(place, place + 1))[0]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for rows in blocks(self._length):
            yield from self._dicts(rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, (str, bytes)):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<CallRows: {self._length} call(s)>"
