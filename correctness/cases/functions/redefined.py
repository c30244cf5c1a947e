"""Two functions with one name, the second defined in place of the first: both count under it."""

from probe import expect_calls, expect_total, profiled, recording, work

took = 0
with recording():
    for ms in (10, 20):
        if ms == 10:
            @profiled("f")
            def f():
                return work(10)
        else:
            @profiled("f")
            def f():
                return work(20)
        took += f() + f()

expect_calls("f", 4)
expect_total("f", took)
