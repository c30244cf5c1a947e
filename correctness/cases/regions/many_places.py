"""A name used in three places is one region, which all of them add to."""

from probe import expect_calls, expect_total, recording, region, work


def elsewhere():
    with region("work"):
        return work(20)


with recording():
    with region("work"):
        took = work(10)
    with region("work"):
        took += work(10)
    took += elsewhere()

expect_calls("work", 3)
expect_total("work", took)
