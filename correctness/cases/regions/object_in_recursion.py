"""One region object, entered again inside itself: each entry is a call, the total the outermost's.

It is entered 5 deep; at the bottom there are 30 ms of work.
"""

from probe import expect_calls, expect_total, recording, region, work


def down(n):
    with held:
        return down(n - 1) if n > 1 else work(30)


with recording():
    held = region("held")
    took = down(5)

expect_calls("held", 5)
expect_total("held", took)
