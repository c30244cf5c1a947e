"""100 000 calls of a function that does nothing are 100 000 calls."""

from probe import expect_calls, profiled, recording


@profiled("f")
def f():
    pass


with recording():
    for _ in range(100_000):
        f()

expect_calls("f", 100_000)
