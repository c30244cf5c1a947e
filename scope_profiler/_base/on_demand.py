"""`OnDemand`: a list whose items are made when they are first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from . import collection

_Item = TypeVar("_Item")


class OnDemand(Sequence[_Item]):
    """Like a list that does not change. An item is made when it is first looked at, and then kept.

    length: How many there are.
    make: Gives the item at a place. Who makes this list has checked what they are made of, as nobody
        expects that looking at a list raises anything.
    """

    __slots__ = ("_length", "_make", "_made")

    def __init__(self, length: int, make: Callable[[int], _Item]) -> None:
        self._length = length
        self._make = make
        self._made: dict[int, _Item] = {}

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: Any) -> Any:
        chosen = range(self._length)[place]
        if isinstance(chosen, range):
            return [self[number] for number in chosen]
        if chosen not in self._made:
            # Of two threads that make it at the same time one has made it for both.
            self._made.setdefault(chosen, self._make(chosen))
        return self._made[chosen]

    def __iter__(self) -> Iterator[_Item]:
        """Of all, which are made at once."""
        if len(self._made) < self._length:
            with collection.put_off():
                for place in range(self._length):
                    self[place]
        return map(self._made.__getitem__, range(self._length))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (list, OnDemand)):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other))

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)
