"""Lines are hit up to the one that fails, and those of the call after it as ever."""

from probe import expect_hits, profiled, recording


@profiled("f")
def f(n):
    begun = True  # hits: 3
    try:
        1 / n  # hits: 3
        begun = "again"  # hits: 1
    except ZeroDivisionError:
        begun = False  # hits: 2
        if n is False:  # hits: 2
            raise  # hits: 1
    return begun  # hits: 2


with recording("lines"):
    for n in (0, False, 1):
        try:
            f(n)
        except ZeroDivisionError:
            pass

expect_hits()
