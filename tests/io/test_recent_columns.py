"""recent_columns.py: what was read last of columns of files."""

import numpy as np
from scope_profiler.io.recent_columns import RecentColumns


class Reads:
    """Columns of so many bytes, and which of them were read."""

    def __init__(self, room):
        self.recent = RecentColumns(room)
        self.names = []

    def column(self, owner, name, size=8):
        def read():
            self.names.append((owner, name))
            return np.zeros(size, np.uint8)

        return self.recent.column(owner, name, read)


def test_what_was_asked_for_last_stays():
    reads = Reads(24)
    first = reads.column(1, "a")
    for name in "bca":
        reads.column(1, name)
    assert reads.column(1, "a") is first and reads.names == [(1, "a"), (1, "b"), (1, "c")]
    reads.column(1, "d")  # in the place of b
    reads.column(1, "c")
    reads.column(1, "a")
    assert reads.names[3:] == [(1, "d")]
    reads.column(1, "b")
    assert reads.names[4:] == [(1, "b")]


def test_what_is_larger_than_the_room_is_not_kept_and_drives_out_nothing():
    reads = Reads(24)
    reads.column(1, "a")
    for _ in range(2):
        assert len(reads.column(1, "large", 25)) == 25
    reads.column(1, "a")
    assert reads.names == [(1, "a"), (1, "large"), (1, "large")]


def test_owners_have_columns_of_their_own_and_are_forgotten():
    reads = Reads(24)
    assert reads.column(1, "a") is not reads.column(2, "a")
    reads.recent.forget(1)
    reads.column(2, "a")
    reads.column(1, "a")
    assert reads.names == [(1, "a"), (2, "a"), (1, "a")]
    for owner in (1, 2):
        reads.recent.forget(owner)
    assert reads.recent._size == 0


def test_a_column_that_is_asked_for_while_it_is_read():
    reads = Reads(24)
    reads.recent.column(1, "a", lambda: reads.column(1, "a"))
    reads.recent.forget(1)
    assert reads.recent._size == 0
