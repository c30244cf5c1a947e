"""Two threads call one function, the second call begun in the first and ended after it.

Both calls return, and their lines are hit twice each.
"""

import threading

from probe import expect, expect_hits, profiled, recording

turn = [threading.Event() for _ in range(3)]
returned = []


@profiled("call")
def call(does):
    begun = True  # hits: 2
    does()  # hits: 2
    return begun  # hits: 2


def first():
    turn[0].set()
    turn[1].wait(5)


def second():
    turn[1].set()
    turn[2].wait(5)


def target():
    turn[0].wait(5)
    returned.append(call(second))


with recording("lines", "threads"):
    thread = threading.Thread(target=target)
    thread.start()
    returned.append(call(first))
    turn[2].set()
    thread.join()

expect("what the calls return", [True, True], returned)
expect_hits()
