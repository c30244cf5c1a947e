"""Blocks left by return, break and continue end there."""

from probe import expect_calls, expect_total, recording, region, work


def leaves():
    took = 0
    for n in range(4):
        with region("block"):
            took += work(10)
            if n == 1:
                continue
            if n == 2:
                break
    work(20)
    with region("block"):
        return took + work(10)


with recording():
    took = leaves()
    work(20)

expect_calls("block", 4)
expect_total("block", took)
