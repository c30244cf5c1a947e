"""Two tasks take turns, each inside the same region around an await: each block has its own time.

Each works 20 ms, lets the other one, and works 20 ms more; so both blocks last 60 ms, the second
from 20 ms to 80 ms.
"""

import asyncio

from probe import expect_calls, expect_longest, expect_total, recording, region, work


async def step():
    with region("held"):
        first = work(20)
        await asyncio.sleep(0)
        return first, work(20)


async def main():
    return await asyncio.gather(step(), step())


with recording("tasks"):
    (one, three), (two, four) = asyncio.run(main())

expect_calls("held", 2)
expect_total("held", one + two + three + two + three + four)
expect_longest("held", two + three + four)
