"""Lines of a decorated generator that another one delegates to, which gets what it returns."""

from probe import expect, expect_hits, profiled, recording


@profiled("inner")
def inner():
    for i in range(2):  # hits: 3
        yield i  # hits: 2
    return "returned"  # hits: 1


def outer():
    returned.append((yield from inner()))


returned = []
with recording("lines"):
    list(outer())

expect("what inner returns", ["returned"], returned)
expect_hits()
