"""A region that starts a thread and waits for it is charged the time once, and the thread's is its.

The region is open for the 20 ms before and the 30 ms in which the thread works, in a region, too.
"""

import threading

from probe import expect_calls, expect_total, recording, region, work

took = 0


def target():
    global took
    with region("thread"):
        took += work(30)


with recording("threads"):
    with region("main"):
        before = work(20)
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()

expect_calls("main", 1)
expect_calls("thread", 1)
expect_total("main", before + took)
expect_total("thread", took)
