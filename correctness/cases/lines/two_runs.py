"""The lines of a second run are those of its own calls.

f is called 3 times in the first run, and 2 times in the second.
"""

from probe import expect_hits, profiled, recording


@profiled("f")
def f():
    a = 1  # hits: 2
    return a  # hits: 2


with recording("lines"):
    f(), f(), f()

with recording("lines"):
    f(), f()

expect_hits()
