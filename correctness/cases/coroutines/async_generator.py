"""An async generator is one call; its running time is without the consumer's and without waits.

It works 10 ms for each of 3 values, and waits before each; the loop works 20 ms with each.
"""

import asyncio

from probe import expect, expect_calls, expect_running, profiled, recording, work

took = 0


@profiled("numbers")
async def numbers():
    global took
    for i in range(3):
        await asyncio.sleep(0)
        took += work(10)
        yield i


async def main():
    found = []
    async for i in numbers():
        work(20)
        found.append(i)
    return found


with recording("tasks", "waiting"):
    found = asyncio.run(main())

expect("what it yields", True, found == [0, 1, 2])
expect_calls("numbers", 1)
expect_running("numbers", took)
