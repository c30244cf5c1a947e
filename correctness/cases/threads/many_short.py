"""500 threads, one after the other, call a function twice each: 1 000 calls."""

import threading

from probe import expect_calls, profiled, recording


@profiled("f")
def f():
    pass


def twice():
    f(), f()


with recording("threads"):
    for _ in range(500):
        thread = threading.Thread(target=twice)
        thread.start()
        thread.join()

expect_calls("f", 1_000)
