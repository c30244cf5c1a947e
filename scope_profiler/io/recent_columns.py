"""`RecentColumns`: what was read last of columns that find no room in memory as a whole."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock

import numpy as np


class RecentColumns:
    """Pieces of columns, of which those that were asked for last stay in memory.

    room: How many bytes they may take together.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._size = 0
        self._known: OrderedDict[tuple[int, Hashable], np.ndarray] = OrderedDict()
        self._lock = RLock()  # an owner may go, and be forgotten, at any moment

    def column(self, owner: int, name: Hashable, read: Callable[[], np.ndarray]) -> np.ndarray:
        """The one of that name, which `read` gives if it is not here."""
        with self._lock:
            if (owner, name) in self._known:
                self._known.move_to_end((owner, name))
                return self._known[owner, name]
        values = read()
        with self._lock:
            if values.nbytes <= self._room and (owner, name) not in self._known:
                self._known[owner, name] = values
                self._size += values.nbytes
            while self._size > self._room:
                self._size -= self._known.popitem(last=False)[1].nbytes
        return values

    def forget(self, owner: int) -> None:
        """Whatever is here of it."""
        with self._lock:
            for key in [key for key in list(self._known) if key[0] == owner]:
                self._size -= self._known.pop(key).nbytes
