"""Lines of a loop are hit once for each round."""

from probe import expect_hits, profiled, recording


@profiled("f")
def f():
    total = 0  # hits: 1
    for i in range(10):  # hits: 11
        if i % 2:  # hits: 10
            total += i  # hits: 5
        else:
            total -= i  # hits: 5
    return total  # hits: 1


with recording("lines"):
    f()

expect_hits()
