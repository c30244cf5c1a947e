"""A call that ends with an exception is a call, and its time is known; the exception arrives.

A function works 20 ms and raises an exception, twice; a third call of it returns.
"""

from probe import expect, expect_calls, expect_total, profiled, recording, work


@profiled("fails")
def fails(error):
    global took
    took += work(20)
    if error:
        raise error


took, errors, arrived = 0, [KeyError("key"), ValueError("value"), None], []
with recording():
    for error in errors:
        try:
            fails(error)
        except (KeyError, ValueError) as caught:
            arrived.append(caught)

expect("the exceptions arrive", True, arrived == errors[:2])
expect_calls("fails", 3)
expect_total("fails", took)
