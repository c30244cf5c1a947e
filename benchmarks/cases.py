"""What is timed. A case is a function of n: it does one thing n times and returns the nanoseconds.

Every case has code of its own, made from a snippet, so that the interpreter specializes each one
for itself. A case is timed from inside, after the loop is set up; what the loop costs is another
case, to be subtracted.
"""

import asyncio
from itertools import repeat
from math import inf
from pathlib import Path
import sys
from tempfile import mkdtemp
from threading import Barrier, Thread
from time import perf_counter_ns

_LOOP = """
def case(n):
    times = {times}
    start = perf_counter_ns()
    for name in times:
        {statement}
    return perf_counter_ns() - start
"""


def looped(statement, times="repeat(None, n)", **names):
    """The case that executes a statement n times; names are its globals."""
    namespace = {"repeat": repeat, "perf_counter_ns": perf_counter_ns, **names}
    exec(_LOOP.format(statement=statement, times=times), namespace)
    return namespace["case"]


def define(source, name, first_line=1):
    """A function compiled from source, whose code is shared with nobody."""
    namespace = {"repeat": repeat, "perf_counter_ns": perf_counter_ns}
    exec(compile("\n" * (first_line - 1) + source, f"<{name}>", "exec"), namespace)
    return namespace[name]


def empty():
    """The function that is called, decorated or not."""


# ---- Regions ---------------------------------------------------------------------------------


def region_cases(manager):
    """`with` blocks and decorated calls; in which state they run is the manager's."""
    decorated = manager.profile("decorated")(define("def called():\n    pass\n", "called"))
    names = {"manager": manager, "region": manager.profile_region("reused"),
             "plain": define("def called():\n    pass\n", "called"), "decorated": decorated}
    cases = {
        "loop": looped("pass"),
        "with": looped('with manager.profile_region("x"): pass', **names),
        "reused": looped("with region: pass", **names),
        "call": looped("plain()", **names),
        "decorated": looped("decorated()", **names),
    }
    if hasattr(manager, "_begin"):  # ours, which takes memory for 65 536 events at a time: no round
        cases["with, tagged"] = looped('with manager.profile_region("t", tags=("a",)): pass', **names)
        cases["with, tags listed"] = looped('with manager.profile_region("u", tags=["a"]): pass',
                                            **names)
        cases["metadata"] = looped("with manager.metadata(step=1): pass", **names)
        for name in ("with", "reused", "decorated", "with, tagged", "with, tags listed"):
            cases[name].smallest = 70_000  # is to do without its share of that
    for what, statement in (("loop", "pass"), ("with", 'with manager.profile_region("x"): pass'),
                            ("reused", "with region: pass"), ("own", "with own: pass"),
                            ("decorated", "decorated()")):
        loops = [looped(statement, **names, own=manager.profile_region(f"of thread {i}"))
                 for i in range(2)]
        cases[f"{what}, alone"] = at_once(loops[0])
        cases[f"{what}, at once"] = at_once(*loops)
    cases["loop, two threads"] = in_threads(2, *(looped("pass") for _ in range(2)))
    cases["with, two threads"] = in_threads(
        2, *(looped('with manager.profile_region("x"): pass', **names) for _ in range(2))
    )
    return cases


def in_threads(count, *loops):
    """The loops at the same time, n executions shared out among them; a case.

    With the GIL the threads take turns, so the time of all of them is that of n executions.
    """

    def case(n):
        ready = Barrier(count + 1)

        def run(loop):
            ready.wait()
            loop(n // count)

        threads = [Thread(target=run, args=(loop,)) for loop in loops]
        for thread in threads:
            thread.start()
        ready.wait()
        start = perf_counter_ns()
        for thread in threads:
            thread.join()
        return perf_counter_ns() - start

    case.round_ns = 60_000_000  # many turns of the GIL
    return case


_TRIES = 100


def at_once(*loops):
    """The loops at the same time, each in a thread of its own and n times; a case: the mean of what
    they take.

    Other processes may keep a thread from running, and what the others take alone says nothing. So
    the loops run again until they do nearly all of the time together.
    """

    def run(loop, n, arrived, spans):
        loop(100)  # what a thread does once
        arrived.append(loop)
        while len(arrived) < len(loops):  # to wake up takes too long
            pass
        time = loop(n)
        end = perf_counter_ns()
        spans.append((end - time, end))

    def case(n):
        for _ in range(_TRIES):
            arrived, spans = [], []
            threads = [Thread(target=run, args=(loop, n, arrived, spans)) for loop in loops]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            starts, ends = zip(*spans)
            times = [end - start for start, end in spans]
            if min(ends) - max(starts) > 0.9 * max(times):
                return sum(times) / len(times)
        return inf

    case.round_ns = 300_000  # rarely interrupted
    return case


# ---- Tasks -----------------------------------------------------------------------------------

_TASK = """
async def task(n):
    times = repeat(None, n)
    start = perf_counter_ns()
    for name in times:
        {statement}
    return perf_counter_ns() - start
"""


def in_task(statement, **names):
    """The case that executes a statement n times in a task of asyncio."""
    namespace = {"repeat": repeat, "perf_counter_ns": perf_counter_ns, "sleep": asyncio.sleep, **names}
    exec(_TASK.format(statement=statement), namespace)
    return lambda n: asyncio.run(namespace["task"](n))


def task_cases(manager):
    """`with` blocks in a task, without and with an `await` inside, which is a round of the loop."""
    block = 'with manager.profile_region("x"):'
    return {
        "loop, in a task": in_task("pass"),
        "with, in a task": in_task(f"{block} pass", manager=manager),
        "await": in_task("await sleep(0)"),
        "with, await": in_task(f"{block} await sleep(0)", manager=manager),
    }


# ---- Many names, deep recursion --------------------------------------------------------------


def size_cases(manager):
    """The same block with one, 100 and 100 000 names, in a shallow and in a deep recursion."""
    cases = {}
    for count in (1, 100, 100_000):
        names = [f"name {i}" for i in range(count)]
        times = f"names * (n // {count})"
        statement = "with manager.profile_region(name): pass"
        cases[f"loop, {count} names"] = looped("pass", times, names=names)
        cases[f"with, {count} names"] = looped(statement, times, names=names, manager=manager)
        cases[f"loop, {count} names"].smallest = cases[f"with, {count} names"].smallest = 100_000
    for depth in (50, 5_000):
        cases[f"call, depth {depth}"] = recursive(_PLAIN, depth)
        cases[f"with, depth {depth}"] = recursive(_WITH, depth, region=manager.region("deep"))
        cases[f"decorated, depth {depth}"] = recursive(_PLAIN, depth, manager.profile("deep call"))
    sys.setrecursionlimit(50_000)  # the peer needs several for a call
    return cases


_PLAIN = """
def descend(depth):
    if depth:
        descend(depth - 1)
"""

_WITH = """
def descend(depth):
    with region:
        if depth:
            descend(depth - 1)
"""


def recursive(source, depth, decorator=None, **names):
    """n calls, in recursions of a depth; a case."""
    function = define(source, "descend")
    namespace = function.__globals__
    namespace.update(names)
    if decorator:
        namespace["descend"] = function = decorator(function)
    case = looped("function(depth)", f"repeat(None, n // {depth})", function=function,
                  depth=depth - 1)
    case.smallest = 5_000
    return case


# ---- Memory ----------------------------------------------------------------------------------


def memory_cases(manager, without):
    """Blocks and decorated calls whose memory is measured, and those of another manager, where it is
    not."""
    cases = {"loop": looped("pass")}
    for what, of in (("", manager), (", without", without)):
        decorated = of.profile("decorated")(define("def called():\n    pass\n", "called"))
        cases[f"reused{what}"] = looped("with region: pass", region=of.profile_region("reused"))
        cases[f"decorated{what}"] = looped("decorated()", decorated=decorated)
    for case in cases.values():
        case.smallest = 70_000
    return cases


def line_memory_cases(profile):
    """Lines whose memory is measured. profile: the decorator that has it so."""
    plain = define(_WORK, "work")
    path = Path(mkdtemp(), "work.py")  # the peer wants a file
    path.write_text(_WORK)
    namespace = {}
    exec(compile(_WORK, str(path), "exec"), namespace)
    measured = profile(namespace["work"])
    measured(10)
    return {"plain lines": per_line(plain), "lines": per_line(measured)}


# ---- Lines -----------------------------------------------------------------------------------

LINES_PER_PASS = 3

_WORK = """
def work(n):
    for i in range(n):
        a = i
        b = a
"""

# Code that nobody registers times itself, so that it can be called from anywhere.
_LINES = """
def lines(n):
    times = repeat(None, n)
    start = perf_counter_ns()
    for i in times:
        a = i
        b = a
    return perf_counter_ns() - start
"""

_CALLS = """
def calls(n):
    times = repeat(None, n)
    start = perf_counter_ns()
    for i in times:
        empty()
    return perf_counter_ns() - start
"""

_PASSES = """
def passes(n):
    times = repeat(None, n)
    start = perf_counter_ns()
    for i in times:
        pass
    return perf_counter_ns() - start
"""

_INSIDE = """
def inside(function, n):
    return function(n)
"""


def line_cases(profiler):
    """Lines of registered code, registered calls, and code that is not registered at all.

    profiler: what worker.LineMode says.
    """
    cases = {"loop": looped("pass")}
    for first_line in (1, 1000):
        plain = define(_WORK, "work", first_line)
        profiled = profiler.profile(define(_WORK, "work", first_line))
        profiler.check(profiled, LINES_PER_PASS)
        cases[f"plain lines from {first_line}"] = per_line(plain)
        cases[f"lines from {first_line}"] = per_line(profiled)
    called = define("def called():\n    pass\n", "called")
    cases["call"] = looped("plain()", plain=called)
    called = profiler.profile(define("def called():\n    pass\n", "called"))
    cases["decorated"] = looped("decorated()", decorated=called)

    inside = profiler.profile(define(_INSIDE, "inside"))
    for what, source, name in (("lines", _LINES, "lines"), ("calls", _CALLS, "calls"),
                               ("passes", _PASSES, "passes")):
        function = define(source, name)
        function.__globals__["empty"] = define("def empty():\n    pass\n", "empty")
        cases[f"{what}, inside"] = lambda n, f=function: inside(f, n)
        cases[f"{what}, elsewhere"] = function
        cases[f"{what}, plain"] = lambda n, f=function: profiler.without(f, n)
    return cases


def registered_cases(profiler):
    """Calls and lines of functions that LineProfiler knows by their code, and was switched on for once.

    profiler: a LineProfiler, ours or line_profiler's.
    """
    plain, work = define("def called():\n    pass\n", "called"), define(_WORK, "work")
    cases = {"loop": looped("pass"), "call": looped("plain()", plain=plain), "plain lines": per_line(work)}
    called, work = define("def called():\n    pass\n", "called"), define(_WORK, "work")
    wrapped = profiler(define("def called():\n    pass\n", "called"))
    cases["wrapped"] = looped("wrapped()", wrapped=wrapped)
    for function in (called, work):
        profiler.add_function(function)

    def switched_on(case):
        def measured(n):
            with profiler:
                return case(n)

        return measured

    cases["registered"] = switched_on(looped("called()", called=called))
    cases["lines"] = switched_on(per_line(work))
    return cases


def per_line(function):
    """n lines of a function whose loop executes LINES_PER_PASS in each pass; a case."""

    def case(n):
        passes = n // LINES_PER_PASS
        start = perf_counter_ns()
        function(passes)
        return perf_counter_ns() - start

    return case


# ---- Every function --------------------------------------------------------------------------

_STEPS = """
def steps(n):
    numbers = generate(n)
    start = perf_counter_ns()
    for i in numbers:
        pass
    return perf_counter_ns() - start

def generate(n):
    for i in repeat(None, n):
        yield i
"""


def traced_cases(tracer):
    """Calls and steps of generators that are traced, and such that are left out or not traced.

    tracer: what worker.Calls says.
    """
    cases = {}
    for what, source in (("calls", _CALLS), ("passes", _PASSES), ("steps", _STEPS)):
        for way in ("plain", *tracer.ways):
            function = define(source, what)
            function.__globals__["empty"] = define("def empty():\n    pass\n", "empty")
            plain = way == "plain"
            cases[f"{what}, {way}"] = function if plain else tracer.in_way(way, function)
    return cases
