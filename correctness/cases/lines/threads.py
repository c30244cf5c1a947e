"""Lines of a function that 4 threads call 100 times each, all at a time."""

import sys
import threading

from probe import expect_hits, profiled, recording

sys.setswitchinterval(1e-5)  # threads change often


@profiled("f")
def f():
    total = 0  # hits: 400
    for i in range(10):  # hits: 4400
        total += i  # hits: 4000
    return total  # hits: 400


def loop():
    for _ in range(100):
        f()


with recording("lines", "threads"):
    threads = [threading.Thread(target=loop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

expect_hits()
