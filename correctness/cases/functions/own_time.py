"""A function's own time is its total less that of the functions it calls.

outer does nothing but call inner, which works 30 ms.
"""

from probe import expect_own, expect_total, profiled, recording, work


@profiled("inner")
def inner():
    return work(30)


@profiled("outer")
def outer():
    return inner()


with recording():
    took = outer()

expect_total("outer", took)
expect_total("inner", took)
expect_own("outer", 0)
