"""A call of ten days lasts ten days. A fake clock makes it end at once."""

from probe import expect_calls, expect_total, fake_clock, profiled, recording, work

fake_clock()
DAY = 24 * 3600 * 1000


@profiled("simulate")
def simulate():
    return work(10 * DAY)


with recording():
    took = simulate()

expect_calls("simulate", 1)
expect_total("simulate", took)
