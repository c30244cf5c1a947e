"""Lines of a recursion are hit once for each call."""

from probe import expect_hits, profiled, recording


@profiled("down")
def down(n):
    if n:  # hits: 11
        down(n - 1)  # hits: 10
    return n  # hits: 11


with recording("lines"):
    down(10)

expect_hits()
