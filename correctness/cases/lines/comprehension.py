"""A comprehension over several lines: what it calls is hit once for each element."""

from probe import expect_hits, profiled, recording


def square(i):
    return i * i


@profiled("squares")
def squares(n):
    found = [
        square(i)  # hits: 10
        for i in range(n)
    ]
    return found  # hits: 1


with recording("lines"):
    squares(10)

expect_hits()
