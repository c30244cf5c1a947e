"""A region object that was made before a run records in it, and in the next one.

The region is made first, entered once in a run, and twice in the run after: its answer is 2.
"""

from probe import expect_calls, expect_total, recording, region, work

kept = region("kept")
with recording():
    with kept:
        work(10)

with recording():
    with kept:
        took = work(20)
    with kept:
        took += work(20)

expect_calls("kept", 2)
expect_total("kept", took)
