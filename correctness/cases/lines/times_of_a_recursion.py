"""Lines of a recursion: the work at the bottom is in the time of its own line once.

down calls itself 3 deep, and works 30 ms at the bottom.
"""

from probe import expect_times, profiled, recording, work


@profiled("down")
def down(n):
    if n:  # ms: 0
        return down(n - 1)
    work(30)  # ms: 30


with recording("lines"):
    down(3)

expect_times()
