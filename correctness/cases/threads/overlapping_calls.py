"""Calls of one function by two threads that overlap: each has the time from its begin to its end.

The first call lasts 10 + 30 ms, the second, begun while that is open, 30 + 20 ms.
"""

import threading

from probe import expect_calls, expect_total, profiled, recording, work

turn = [threading.Event() for _ in range(4)]
took = {}


@profiled("call")
def call(does):
    does()


def first():
    took["one"] = work(10)
    turn[0].set()
    turn[1].wait(5)
    took["both"] = work(30)


def second():
    turn[1].set()
    turn[2].wait(5)


def target():
    turn[0].wait(5)
    call(second)
    turn[3].set()


with recording("threads"):
    thread = threading.Thread(target=target)
    thread.start()
    call(first)
    took["other"] = work(20)
    turn[2].set()
    turn[3].wait(5)
    thread.join()

expect_calls("call", 2)
expect_total("call", took["one"] + 2 * took["both"] + took["other"])
