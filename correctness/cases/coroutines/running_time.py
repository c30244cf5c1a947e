"""A coroutine's running time is that of its steps, without what it waited for.

It works 10 ms, waits while another task works 30 ms, and works 10 ms.
"""

import asyncio

from probe import expect_running, profiled, recording, work


@profiled("fetch")
async def fetch():
    took = work(10)
    await asyncio.sleep(0)
    return took + work(10)


async def other():
    work(30)


async def main():
    took, _ = await asyncio.gather(fetch(), other())
    return took


with recording("tasks", "waiting"):
    took = asyncio.run(main())

expect_running("fetch", took)
