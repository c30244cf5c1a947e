"""Lines of two generators that take turns are hit as if each ran alone."""

from probe import expect_hits, profiled, recording


@profiled("numbers")
def numbers(n):
    begun = True  # hits: 2
    while n:  # hits: 8
        n -= 1  # hits: 6
        yield n  # hits: 6
    return begun  # hits: 2


with recording("lines"):
    list(zip(numbers(3), numbers(3), strict=True))

expect_hits()
