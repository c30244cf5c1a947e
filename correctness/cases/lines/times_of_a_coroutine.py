"""The time in which a coroutine waits is no time of its lines.

It works 20 ms, and waits while another task works 30 ms.
"""

import asyncio

from probe import expect_times, profiled, recording, work


@profiled("fetch")
async def fetch():
    work(20)  # ms: 20
    await asyncio.sleep(0)  # ms: 0
    work(10)  # ms: 10


async def other():
    work(30)


async def main():
    await asyncio.gather(fetch(), other())


with recording("lines"):
    asyncio.run(main())

expect_times()
