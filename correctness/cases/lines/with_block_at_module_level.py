"""A block that stands in no function has its lines."""

from probe import expect_hits, recording, region

with recording("lines"):
    with region("module"):
        total = 0  # hits: 1
        for i in range(3):  # hits: 4
            total += i  # hits: 3

expect_hits()
