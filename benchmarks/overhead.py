"""Compares what reports say measuring costs with what it does cost.

    python benchmarks/overhead.py [--python PATH ...] [--rounds N]

`Own overhead` and *Net* in a report rest on short bursts of empty calls (the module
_instrument/overhead.py).
Here the same is timed as in the other benchmarks, and the ratio printed. It is to be within a quarter.
"""

import argparse
import json
import math
import subprocess
import sys

from environments import Interpreter, about, check

_WITHIN = 0.25

_GENERATE = """
def generate(n):
    for i in repeat(None, n):
        yield i
"""


def said_and_measured(rounds):
    """[(what, said ns, measured ns), ...] of this interpreter."""
    import worker
    from scope_profiler import ProfileManager
    from scope_profiler._instrument import overhead

    rows = []
    for state, label in (("on", ""), ("aggregate", ", aggregation")):
        worker.setup(ProfileManager, state)
        cost = overhead.of(ProfileManager._default).cost
        block, lookup, decorated = map(cost, ("block", "lookup", "decorated"))
        ns = _timed({**worker.cases.region_cases(ProfileManager), **_more(ProfileManager)}, rounds)
        rows += [
            ("with by name" + label, block.ns + lookup.ns, ns["with"] - ns["loop"]),
            ("with of a region kept" + label, block.ns, ns["reused"] - ns["loop"]),
            ("decorated call" + label, decorated.ns, ns["decorated"] - ns["call"]),
            ("step of a generator" + label, cost("step").ns, ns["steps"] - ns["plain steps"]),
            ("generator of one step" + label, cost("generator").ns + 2 * cost("step").ns,
             ns["ends"] - ns["plain ends"]),
            ("metadata" + label, cost("metadata").ns, ns["metadata"] - ns["loop"]),
        ]
        ProfileManager.reset()
    return rows + _of_calls(rounds) + _of_lines(rounds)


def _more(manager):
    """Cases of decorated generators and of metadata."""
    import cases

    found = {}
    for name, decorate in (("plain ", lambda f: f), ("", manager.profile("generator"))):
        generate = decorate(cases.define(_GENERATE, "generate"))
        found[name + "steps"] = cases.looped("pass", "generate(n)", generate=generate)
        found[name + "ends"] = cases.looped("for _ in generate(1): pass", generate=generate)
    found["metadata"] = cases.looped("with manager.metadata(step=1): pass", manager=manager)
    return found


class _Tracer:
    """In one run, whose memory is new for every call, as it is in a program."""

    ways = ("traced",)

    def in_way(self, way, function):
        from scope_profiler import ProfileManager, calls

        def case(n):
            with calls.tracing(ProfileManager, only_user_code=False):
                function(1000)
                return function(n)

        case.smallest = 70_000
        return case


def _of_calls(rounds):
    import cases
    from scope_profiler import ProfileManager
    from scope_profiler._instrument import overhead

    ProfileManager.setup(deactivate_file_output=True)
    ns = _timed(cases.traced_cases(_Tracer()), rounds,
                ("calls, traced", "calls, plain", "steps, traced", "steps, plain"))
    cost = overhead.of(ProfileManager._default).cost
    ProfileManager.reset()
    return [("traced call", cost("traced").ns, ns["calls, traced"] - ns["calls, plain"]),
            ("step of a traced generator", cost("traced_step").ns,
             ns["steps, traced"] - ns["steps, plain"])]


def _of_lines(rounds):
    import worker
    from scope_profiler import ProfileManager
    from scope_profiler._instrument import overhead

    known = worker.cases_of("scope_profiler", "lines")
    ns = _timed(known, rounds, ("lines from 1", "plain lines from 1", "decorated", "call"))
    cost = overhead.of(ProfileManager._default).cost
    return [("line", cost("line").ns, ns["lines from 1"] - ns["plain lines from 1"]),
            ("decorated call of one line, line mode", cost("decorated").ns + cost("line").ns,
             ns["decorated"] - ns["call"])]


def _timed(known, rounds, names=None):
    """{case: nanoseconds of one execution}, the shortest of all rounds."""
    import worker

    clock = worker.Clock(known)
    best = {}
    for _ in range(rounds):
        for name in names or ("loop", "with", "reused", "call", "decorated", "steps", "plain steps",
                              "ends", "plain ends", "metadata"):
            best[name] = min(clock.run(name), best.get(name, math.inf))
    return best


LAYOUT = "{:<40} {:>9} {:>9} {:>7}  {}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", nargs="+", default=[sys.executable], metavar="PATH",
                        help="the interpreters to measure in (this one)")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each case (20)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        print(json.dumps({**about("scope_profiler"), "rows": said_and_measured(options.rounds)}))
        return
    for path in options.python:
        command, environment = Interpreter(path, peers=False).command(
            "ours", "overhead.py", "--here", "--rounds", options.rounds)
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE,
                              text=True)
        answer = json.loads(done.stdout.splitlines()[-1])
        check("ours", answer)
        print(f"\nPython {answer['python']}\n")
        print(LAYOUT.format("", "said", "measured", "ratio", ""))
        for what, said, measured in answer["rows"]:
            ratio = said / measured
            print(LAYOUT.format(what, f"{said:.1f} ns", f"{measured:.1f} ns", f"{ratio:.2f}",
                                "" if abs(ratio - 1) <= _WITHIN else "NOT within a quarter"))


if __name__ == "__main__":
    main()
