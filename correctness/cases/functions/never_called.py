"""A function that is never called has no calls, and its neighbour its own."""

from probe import expect_calls, profiled, recording


@profiled("never")
def never():
    pass


@profiled("once")
def once():
    pass


with recording():
    once()

expect_calls("never", 0)
expect_calls("once", 1)
