"""The calls that a daemon thread has finished are there while it still runs.

It has called f 5 times when the run ends, and hangs in another function.
"""

import threading

from probe import expect_calls, profiled, recording

reached = threading.Event()


@profiled("f")
def f():
    pass


@profiled("hangs")
def hangs():
    reached.set()
    threading.Event().wait()


def target():
    for _ in range(5):
        f()
    hangs()


with recording("threads"):
    threading.Thread(target=target, daemon=True).start()
    reached.wait(5)

expect_calls("f", 5)
