"""A generator is one call, however many values it yields.

Two generator objects are made and used up, with 10 and 5 values: 2 calls.
"""

from probe import expect_calls, profiled, recording


@profiled("numbers")
def numbers(n):
    for i in range(n):
        yield i


with recording():
    list(numbers(10)), list(numbers(5))

expect_calls("numbers", 2)
