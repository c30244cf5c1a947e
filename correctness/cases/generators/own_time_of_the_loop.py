"""Steps of a generator are no part of the consumer's own time.

The function works 10 ms with each of 3 values; the generator 20 ms for each.
"""

from probe import expect_own, profiled, recording, work


@profiled("inner")
def inner(ms):
    return work(ms)


@profiled("numbers")
def numbers():
    for i in range(3):
        work(20)
        yield i


@profiled("consume")
def consume():
    return sum(inner(10) for _ in numbers())


with recording():
    consume()

expect_own("consume", 0)
