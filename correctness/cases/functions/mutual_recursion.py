"""Two functions that call each other: each total is the time of the outermost call of that one.

even calls odd, odd calls even, ten calls deep; the last one works 30 ms.
"""

from probe import expect_calls, expect_total, profiled, recording, work


@profiled("even")
def even(n):
    return odd(n - 1)


@profiled("odd")
def odd(n):
    return even(n - 1) if n > 1 else work(30)


with recording():
    took = even(10)

expect_calls("even", 5)
expect_calls("odd", 5)
expect_total("even", took)
expect_total("odd", took)
