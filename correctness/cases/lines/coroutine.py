"""Lines of a decorated coroutine are hit as those of a function."""

import asyncio

from probe import expect_hits, profiled, recording


@profiled("fetch")
async def fetch():
    total = 0  # hits: 3
    for i in range(4):  # hits: 15
        await asyncio.sleep(0)  # hits: 12
        total += i  # hits: 12
    return total  # hits: 3


async def main():
    await asyncio.gather(fetch(), fetch(), fetch())


with recording("lines"):
    asyncio.run(main())

expect_hits()
