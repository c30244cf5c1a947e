"""The running time of a block with an await in it is without what it waited for.

It works 10 ms, waits while another task works 30 ms, and works 10 ms.
"""

import asyncio

from probe import expect_running, expect_total, recording, region, work


async def fetch():
    with region("block"):
        took = work(10)
        await asyncio.sleep(0)
        return took + work(10)


async def other():
    return work(30)


async def main():
    return await asyncio.gather(fetch(), other())


with recording("tasks", "waiting"):
    running, waiting = asyncio.run(main())

expect_total("block", running + waiting)
expect_running("block", running)
