"""What test_other_tools.py runs under other tools: functions with a known number of calls and lines.
They are in a file of their own, as a coverage tool looks at whole files."""


def leaf(n):
    m = n
    if m > 1:
        m += 1
    return m


def generate(n):
    for i in range(n):
        yield leaf(i)


def blocks(region, n):
    total = 0
    for i in range(n):
        with region:
            total += leaf(i)
            if total > 3:
                total -= 1
    return total


def decorated(n):
    total = 0
    for i in range(n):
        total += leaf(i)
    total += sum(generate(2))
    return total


def hold(region, n):
    with region:
        for i in range(n):
            yield leaf(i)


def interleaved(region):
    return list(zip(hold(region, 2), hold(region, 3)))


def session(region, f):
    blocks(region, 2)
    f(2)
    return 1


def block_that_starts(region, tool):
    with region:
        leaf(1)
        tool.start()
        leaf(2)
    return leaf(3)


def block_that_stops(region, tool):
    with region:
        leaf(1)
        tool.stop()
        leaf(2)
    return leaf(3)


def block_with_both(region, tool):
    with region:
        leaf(1)
        tool.start()
        leaf(2)
        tool.stop()
        leaf(4)
    return leaf(3)


def call_that_starts(tool):
    leaf(1)
    tool.start()
    leaf(2)
    return leaf(3)


def call_that_stops(tool):
    leaf(1)
    tool.stop()
    leaf(2)
    return leaf(3)


def call_with_both(tool):
    leaf(1)
    tool.start()
    leaf(2)
    tool.stop()
    return leaf(3)


NAMES = {name for name, value in list(globals().items()) if callable(value)}
