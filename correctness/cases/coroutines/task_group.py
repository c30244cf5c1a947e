"""A TaskGroup with 5 tasks of one coroutine, of which one fails and so cancels the others: 5 calls.

Each works 10 ms and waits; the first fails then.
"""

import asyncio

from probe import expect, expect_calls, expect_running, profiled, recording, work

took = 0


@profiled("worker")
async def worker(n):
    global took
    took += work(10)
    await asyncio.sleep(0 if n == 0 else 3600)
    raise KeyError(n)


async def main():
    try:
        async with asyncio.TaskGroup() as group:
            for n in range(5):
                group.create_task(worker(n))
    except* KeyError as errors:
        arrived.extend(errors.exceptions)


arrived = []
with recording("tasks", "waiting"):
    asyncio.run(main())

expect("errors that arrive", 1, len(arrived))
expect_calls("worker", 5)
expect_running("worker", took)
