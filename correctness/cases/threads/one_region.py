"""8 threads enter one region 1 000 times each: 8 000 calls."""

import sys
import threading

from probe import expect_calls, recording, region

sys.setswitchinterval(1e-5)  # threads change often


def loop():
    for _ in range(1_000):
        with region("shared"):
            pass


with recording("threads"):
    threads = [threading.Thread(target=loop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

expect_calls("shared", 8_000)
