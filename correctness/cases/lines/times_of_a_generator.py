"""The time in which a generator stands still is no time of its lines.

It works 10 ms for each of 3 values; the loop works 20 ms with each.
"""

from probe import expect_times, profiled, recording, work


@profiled("numbers")
def numbers():
    for i in range(3):
        work(10)  # ms: 30
        yield i  # ms: 0


with recording("lines"):
    for _ in numbers():
        work(20)

expect_times()
