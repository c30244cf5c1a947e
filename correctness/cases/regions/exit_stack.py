"""Regions entered by an ExitStack are open until it closes, and end from the last to the first.

first is open for 60 ms, second for the 40 ms after its entry.
"""

from contextlib import ExitStack

from probe import expect_calls, expect_total, recording, region, work

with recording():
    with ExitStack() as stack:
        stack.enter_context(region("first"))
        before = work(20)
        stack.enter_context(region("second"))
        after = work(40)

expect_calls("first", 1)
expect_calls("second", 1)
expect_total("first", before + after)
expect_total("second", after)
