"""Each call of a recursion counts; its total is the time of the outermost one.

A function calls itself 10 deep, and works 30 ms at the bottom.
"""

from probe import expect_calls, expect_total, profiled, recording, work


@profiled("down")
def down(n):
    return down(n - 1) if n else work(30)


with recording():
    took = down(10)

expect_calls("down", 11)
expect_total("down", took)
