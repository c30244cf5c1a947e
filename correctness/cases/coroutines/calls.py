"""A coroutine that awaits is one call, however often it waits; and the function stays one.

fetch waits 10 times, and is awaited 3 times: 3 calls.
"""

import asyncio
import inspect

from probe import expect, expect_calls, profiled, recording


@profiled("fetch")
async def fetch():
    for _ in range(10):
        await asyncio.sleep(0)
    return "fetched"


async def main():
    return [await fetch() for _ in range(3)]


with recording("tasks"):
    answers = asyncio.run(main())

expect("what it returns", True, answers == ["fetched"] * 3)
expect("it is a coroutine function", True, inspect.iscoroutinefunction(fetch))
expect_calls("fetch", 3)
