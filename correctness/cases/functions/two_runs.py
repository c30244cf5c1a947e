"""A function that was decorated before two runs is recorded in both, each with its own calls.

It is called 3 times in the first run, and once in the second.
"""

from probe import expect_calls, profiled, recording


@profiled("f")
def f():
    pass


with recording():
    f(), f(), f()
expect_calls("f", 3, ", first run")

with recording():
    f()
expect_calls("f", 1, ", second run")
