"""A task that is cancelled is one call, which ends with its clean-up.

It works 20 ms, waits for ever, is cancelled, and works 10 ms in `finally`.
"""

import asyncio

from probe import expect, expect_calls, expect_total, profiled, recording, work

took = 0


@profiled("worker")
async def worker():
    global took
    took += work(20)
    try:
        await asyncio.Event().wait()
    finally:
        took += work(10)


async def main():
    task = asyncio.create_task(worker())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


with recording("tasks"):
    cancelled = asyncio.run(main())

expect("it is cancelled", True, cancelled)
expect_calls("worker", 1)
expect_total("worker", took)
