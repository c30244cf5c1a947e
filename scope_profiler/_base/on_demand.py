"""`OnDemand`: a list whose items are made when they are first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from . import collection

_Item = TypeVar("_Item")


class OnDemand(Sequence[_Item]):
    """Like a list that does not change. An item is made when it is first looked at, and then kept.

    length: How many there are.
    make: Gives the items at some places, as many as are wanted at once. Who makes this list has checked what
        they are made of, as nobody expects that looking at a list raises anything.
    """

    __slots__ = ("_length", "_make", "_made")

    def __init__(self, length: int, make: Callable[[Sequence[int]], Iterable[_Item]]) -> None:
        self._length = length
        self._make = make
        self._made: dict[int, _Item] = {}

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: Any) -> Any:
        chosen = range(self._length)[place]
        if isinstance(chosen, range):
            return list(self._items(chosen))
        return self._made[chosen] if chosen in self._made else next(self._items((chosen,)))

    def several(self, places: Sequence[int]) -> list[_Item]:
        """Those at these places, made at once."""
        return list(self._items(places))

    def __iter__(self) -> Iterator[_Item]:
        """Of all, which are made at once."""
        return self._items(range(self._length))

    def _items(self, places: Sequence[int]) -> Iterator[_Item]:
        missing = [place for place in places if place not in self._made]
        if missing:
            with collection.put_off():
                for place, item in zip(missing, self._make(missing)):
                    # Of two threads that make it at the same time one has made it for both.
                    self._made.setdefault(place, item)
        return map(self._made.__getitem__, places)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (list, OnDemand)):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other))

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)
