"""A block has the lines inside it, from the first time it is entered, and no others."""

from probe import expect_hits, recording, region


def solve():
    before = 1  # hits: 0
    with region("solve"):
        total = before  # hits: 2
        for i in range(3):  # hits: 8
            total += i  # hits: 6
    return total  # hits: 0


with recording("lines"):
    solve(), solve()

expect_hits()
