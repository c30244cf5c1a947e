"""Lines of a decorated generator are hit as those of a function."""

from probe import expect_hits, profiled, recording


@profiled("numbers")
def numbers(n):
    begun = True  # hits: 2
    while n:  # hits: 10
        n -= 1  # hits: 8
        yield n  # hits: 8
    return begun  # hits: 2


with recording("lines"):
    list(numbers(5)), list(numbers(3))

expect_hits()
