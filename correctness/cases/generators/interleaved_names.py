"""Two generators take turns, each inside a region of its own name: both totals are right."""

from probe import expect_total, recording, region, work


def hold(name):
    with region(name):
        yield


with recording("tasks"):
    first, second = hold("first"), hold("second")
    next(first)
    one = work(10)
    next(second)
    both = work(30)
    next(first, None)
    other = work(20)
    next(second, None)

expect_total("first", one + both)
expect_total("second", both + other)
