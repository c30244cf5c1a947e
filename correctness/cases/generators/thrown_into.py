"""A generator that an exception is thrown into goes on: one call, with the time of all its steps.

It works 10 ms before, and 20 ms after the exception, which it catches.
"""

from probe import expect, expect_calls, expect_running, profiled, recording, work

took = 0


@profiled("careful")
def careful():
    global took
    took += work(10)
    try:
        yield "first"
    except KeyError:
        took += work(20)
        yield "caught"


with recording("waiting"):
    generator = careful()
    answers = [next(generator)]
    work(30)
    answers += [generator.throw(KeyError()), next(generator, "over")]

expect("what it yields", True, answers == ["first", "caught", "over"])
expect_calls("careful", 1)
expect_running("careful", took)
