"""`yield from`: inner and outer generator are one call each, and inner's steps part of outer's.

inner works 10 ms for each of 2 values, outer 20 ms of its own.
"""

from probe import expect, expect_calls, expect_running, profiled, recording, work

took = {"inner": 0, "outer": 0}


@profiled("inner")
def inner():
    for _ in range(2):
        took["inner"] += work(10)
        yield "value"
    return "returned"


@profiled("outer")
def outer():
    took["outer"] += work(20)
    returned.append((yield from inner()))


returned = []
with recording("waiting"):
    for _ in outer():
        work(20)

expect("what inner returns", "returned", returned[0])
expect_calls("inner", 1)
expect_calls("outer", 1)
expect_running("inner", took["inner"])
expect_running("outer", took["inner"] + took["outer"])
