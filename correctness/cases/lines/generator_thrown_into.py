"""Lines of a decorated generator that catches an exception which is thrown into it."""

from probe import expect, expect_hits, profiled, recording


@profiled("careful")
def careful():
    try:
        yield "first"  # hits: 1
    except KeyError:
        yield "caught"  # hits: 1


with recording("lines"):
    generator = careful()
    answers = [next(generator)]
    try:
        answers.append(generator.throw(KeyError()))
    except KeyError:
        answers.append("not caught")

expect("what it yields", ["first", "caught"], answers)
expect_hits()
