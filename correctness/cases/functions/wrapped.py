"""Two functions dressed by one decorator with functools.wraps are two functions.

first is called 2 times, 10 ms each; second 3 times, 20 ms each.
"""

import functools

from probe import expect_calls, expect_total, profiled, recording, work


def dressed(function):
    @functools.wraps(function)
    def wrapper():
        return function()
    return wrapper


@profiled("first")
@dressed
def first():
    return work(10)


@profiled("second")
@dressed
def second():
    return work(20)


with recording():
    took = [first() + first(), second() + second() + second()]

expect_calls("first", 2)
expect_calls("second", 3)
expect_total("first", took[0])
expect_total("second", took[1])
