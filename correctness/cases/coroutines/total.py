"""A coroutine's total is the time from its first step to its last, with what it waited for.

It works 10 ms, waits while another task works 30 ms, and works 10 ms.
"""

import asyncio

from probe import expect_total, profiled, recording, work


@profiled("fetch")
async def fetch():
    took = work(10)
    await asyncio.sleep(0)
    return took + work(10)


async def other():
    return work(30)


async def main():
    return sum(await asyncio.gather(fetch(), other()))


with recording("tasks"):
    took = asyncio.run(main())

expect_total("fetch", took)
