"""8 threads call one function 1 000 times each: 8 000 calls."""

import sys
import threading

from probe import expect_calls, profiled, recording

sys.setswitchinterval(1e-5)  # threads change often


@profiled("shared")
def shared():
    pass


def loop():
    for _ in range(1_000):
        shared()


with recording("threads"):
    threads = [threading.Thread(target=loop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

expect_calls("shared", 8_000)
