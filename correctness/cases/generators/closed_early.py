"""A generator that is closed early is one call, with the time of the steps it made, and cleans up.

It works 20 ms, yields, and is closed, upon which it works 10 ms more.
"""

from probe import expect, expect_calls, expect_running, profiled, recording, work

took = 0
cleaned = False


@profiled("numbers")
def numbers():
    global took, cleaned
    took += work(20)
    try:
        while True:
            yield
    finally:
        took += work(10)
        cleaned = True


with recording("waiting"):
    generator = numbers()
    next(generator)
    work(30)
    generator.close()

expect("it cleans up", True, cleaned)
expect_calls("numbers", 1)
expect_running("numbers", took)
