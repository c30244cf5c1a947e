"""What other threads do while a function waits is no part of it: own times are each thread's.

The main thread calls outer, and in it inner, which works 30 ms; meanwhile another thread has
called a function that waits.
"""

import threading

from probe import expect_own, expect_total, profiled, recording, work

entered, over = threading.Event(), threading.Event()


@profiled("inner")
def inner():
    return work(30)


@profiled("outer")
def outer():
    return inner()


@profiled("waits")
def waits():
    entered.set()
    over.wait(5)


with recording("threads"):
    thread = threading.Thread(target=waits)
    thread.start()
    entered.wait(5)
    took = outer()
    over.set()
    thread.join()

expect_total("outer", took)
expect_total("inner", took)
expect_own("outer", 0)
