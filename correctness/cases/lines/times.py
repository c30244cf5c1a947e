"""A line's time is that of all its hits, with what it calls."""

from probe import expect_times, profiled, recording, work


def helper():
    work(20)


@profiled("f")
def f():
    helper()  # ms: 20
    for _ in range(3):
        work(10)  # ms: 30
    total = 1  # ms: 0
    return total  # ms: 0


with recording("lines"):
    f()

expect_times()
