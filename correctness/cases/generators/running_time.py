"""A generator's running time is that of its steps, not of the loop that consumes it.

It works 10 ms for each of 3 values; the loop works 20 ms with each.
"""

from probe import expect_running, profiled, recording, work

took = 0


@profiled("numbers")
def numbers():
    global took
    for i in range(3):
        took += work(10)
        yield i


with recording("waiting"):
    for _ in numbers():
        work(20)

expect_running("numbers", took)
