"""A thread that was there before the run is recorded, too."""

import threading

from probe import expect_calls, profiled, recording

begun, go = threading.Event(), threading.Event()


@profiled("f")
def f():
    pass


def target():
    begun.set()
    go.wait(5)
    for _ in range(5):
        f()


thread = threading.Thread(target=target)
thread.start()
begun.wait(5)
with recording("threads"):
    go.set()
    thread.join()

expect_calls("f", 5)
