"""A region's own time is its total less that of the regions inside it.

outer: 20 ms, inner: 30 ms, innermost: 10 ms, and after both another 20 ms of outer.
"""

from probe import expect_own, expect_total, recording, region, work

with recording():
    with region("outer"):
        outer = work(20)
        with region("inner"):
            inner = work(30)
            with region("innermost"):
                innermost = work(10)
        outer += work(20)

expect_total("outer", outer + inner + innermost)
expect_total("inner", inner + innermost)
expect_own("outer", outer)
expect_own("inner", inner)
expect_own("innermost", innermost)
