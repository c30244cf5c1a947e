"""A coroutine that awaits another: one call each, and the inner one's time is part of the outer's.

inner works 10 ms, waits, works 10 ms; outer works 20 ms of its own.
"""

import asyncio

from probe import expect_calls, expect_total, profiled, recording, work


@profiled("inner")
async def inner():
    took = work(10)
    await asyncio.sleep(0)
    return took + work(10)


@profiled("outer")
async def outer():
    own = work(20)
    return own, await inner()


with recording("tasks"):
    own, took = asyncio.run(outer())

expect_calls("inner", 1)
expect_calls("outer", 1)
expect_total("inner", took)
expect_total("outer", own + took)
