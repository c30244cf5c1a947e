"""Regions of two threads that overlap: the time of each is from its entry to its exit.

first is open for 10 + 30 ms, second for 30 + 20 ms.
"""

import threading

from probe import expect_total, recording, region, work

turn = [threading.Event() for _ in range(4)]


def target():
    turn[0].wait(5)
    with region("second"):
        turn[1].set()
        turn[2].wait(5)
    turn[3].set()


with recording("threads"):
    thread = threading.Thread(target=target)
    thread.start()
    with region("first"):
        one = work(10)
        turn[0].set()
        turn[1].wait(5)
        both = work(30)
    other = work(20)
    turn[2].set()
    turn[3].wait(5)
    thread.join()

expect_total("first", one + both)
expect_total("second", both + other)
