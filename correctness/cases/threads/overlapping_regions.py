"""One region, entered by two threads at overlapping times: each block has its own time.

The first thread's lasts 20 + 30 ms, the second's 30 + 20 ms.
"""

import threading

from probe import expect_calls, expect_longest, expect_total, recording, region, work

turn = [threading.Event() for _ in range(4)]


def target():
    turn[0].wait(5)
    with region("shared"):
        turn[1].set()
        turn[2].wait(5)
    turn[3].set()


with recording("threads"):
    thread = threading.Thread(target=target)
    thread.start()
    with region("shared"):
        one = work(20)
        turn[0].set()
        turn[1].wait(5)
        both = work(30)
    other = work(20)
    turn[2].set()
    turn[3].wait(5)
    thread.join()

expect_calls("shared", 2)
expect_total("shared", one + 2 * both + other)
expect_longest("shared", both + other)
