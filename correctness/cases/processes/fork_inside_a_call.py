"""A fork inside a call: the parent's call and its time are as without it.

f works 20 ms, forks a child that ends at once, and works 20 ms more.
"""

import os

from probe import expect_calls, expect_total, profiled, recording, work


@profiled("f")
def f():
    took = work(20)
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return took + work(20)


with recording():
    took = f()

expect_calls("f", 1)
expect_total("f", took)
