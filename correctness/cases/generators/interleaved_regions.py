"""Two generators take turns, each inside a region around its yield: each block has its own time.

The first one's block lasts 20 + 30 ms; the second's, begun after 20 and ended last, 30 + 20 ms.
"""

from probe import expect_calls, expect_longest, expect_total, recording, region, work


def hold():
    with region("held"):
        yield


with recording("tasks"):
    first, second = hold(), hold()
    next(first)
    one = work(20)
    next(second)
    both = work(30)
    next(first, None)
    other = work(20)
    next(second, None)

expect_calls("held", 2)
expect_total("held", one + both + both + other)
expect_longest("held", both + other)
