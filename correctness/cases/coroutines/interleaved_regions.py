"""Two tasks take turns, each inside the same region around an await: each block has its own time.

Both work 10 ms, then 20 ms; so the first block lasts until the first task's end, 40 ms, and the
second from 10 ms to 60 ms.
"""

import asyncio

from probe import expect_calls, expect_longest, expect_total, recording, region, work


async def step():
    with region("held"):
        first = work(10)
        await asyncio.sleep(0)
        return first, work(20)


async def main():
    return await asyncio.gather(step(), step())


with recording("tasks"):
    (one, three), (two, four) = asyncio.run(main())

expect_calls("held", 2)
expect_total("held", one + two + three + two + three + four)
expect_longest("held", two + three + four)
