"""A block left by an exception ends there; the exception passes, and the next block is apart.

The block works 20 ms and fails, 20 ms pass outside, and it works 20 ms again.
"""

from probe import expect, expect_calls, expect_total, recording, region, work

arrived = None
with recording():
    try:
        with region("fails"):
            took = work(20)
            raise KeyError("key")
    except KeyError as error:
        arrived = error
    work(20)
    with region("fails"):
        took += work(20)

expect("the exception arrives", "KeyError('key')", repr(arrived))
expect_calls("fails", 2)
expect_total("fails", took)
