"""Function tracing on real programs: whether calls are counted as cProfile counts them, and what it costs
beside other profilers.

    benchmarks/against_cprofile.py counts [PROGRAM ...]
    benchmarks/against_cprofile.py durations [PROGRAM ...]
    benchmarks/against_cprofile.py times [PROGRAM ...]

All run in an interpreter that has the programs and the other profilers (tools/setup_peer.sh PYTHON VENV
yappi viztracer networkx sqlalchemy jinja2 mkdocs h5py, and black as `pip install --no-binary black black`,
which is compiled otherwise); this package is taken from the checkout.

counts: calls are compared function by function, functions in C by their name, others by file, first line and
name. Not compared by number is what counts in another way: a generator or coroutine is one call here and
one for each step there; comprehensions, functions of their own up to 3.11, are part of the function that
they stand in here.
durations: own and cumulative times of functions, one by one, against those of cProfile that records the
same runs, of functions that take long enough to be measured, and little of it because of the profilers.
times: processor time of the program under each profiler over that without, the fastest of some processes
each, taken in turns, as the machine may have other things to do. Each keeps what it keeps by default.
"""

import argparse
from contextlib import redirect_stdout
from functools import partial
import gc
import inspect
import io
import json
import os
from pathlib import Path
import re
import subprocess
import sys
from time import process_time

ROOT = Path(__file__).resolve().parent.parent
GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
SAME = 5  # runs of which all are to have the same counts
COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>"}
#: Of each profiler as it is without functions in C, and with them.
TOOLS = ("ours", "cProfile", "VizTracer", "yappi", "0.7.5",
         "ours, C", "cProfile, C", "VizTracer, C", "yappi, C")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("what", choices=["counts", "durations", "times", "worker"])
    parser.add_argument("programs", metavar="PROGRAM", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tool", help=argparse.SUPPRESS)
    given = parser.parse_args()
    from real_programs import PROGRAMS

    names = given.programs or [*PROGRAMS]
    if unknown := [name for name in names if name not in PROGRAMS]:
        parser.error(f"no program is called {unknown[0]!r}; there are {', '.join(PROGRAMS)}")
    if given.what == "worker":
        worker(given.tool, PROGRAMS[names[0]])
    elif given.what == "counts":
        sys.exit(not all([compare(name) for name in names]))
    elif given.what == "durations":
        sys.exit(not all([compare_durations(name) for name in names]))
    else:
        print_times(names, given.rounds)


def run(tool, program):
    """What a worker tells."""
    paths = [] if tool == "0.7.5" else [str(ROOT)]
    done = subprocess.run([sys.executable, __file__, "worker", program, "--tool", tool], capture_output=True,
                          text=True, env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": ":".join(paths)})
    if done.returncode:
        raise SystemExit(f"{tool}, {program}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def worker(tool, program):
    """Print processor seconds and, of a Profile, calls."""
    # All is imported, as the program has run once. What is timed has its profiler before that: it is chance
    # how much memory what a profiler imports leaves for the program: 20 to 570 page faults were seen.
    profiles = {"functions of ours": [profile_of_ours], "functions of cProfile": [profile_of_theirs],
                "both": [profile_of_ours, profile_of_theirs], "inside": []}.get(tool)
    found = {}
    with redirect_stdout(io.StringIO()):
        around = under(tool) if profiles is None else None
        program()
        profiles = [make() for make in profiles or ()]
        gc.collect()  # else it is chance whether the garbage of the first run is collected in the second
        begun = process_time()
        if tool == "inside":
            found["inside"] = calls_inside(program)
        elif around is not None:
            around(program)
        else:
            profiled(profiles, partial(again, program) if tool == "both" else program)
        found["seconds"] = process_time() - begun
    for name, profile in zip(("functions", "theirs"), profiles):
        found[name] = functions(profile)
    print(json.dumps(found))


# ---- Functions


def profile_of_ours():
    from scope_profiler.cprofile import Profile

    Profile().runcall(int)  # what it measures of itself at its first use
    return Profile()


def profile_of_theirs():
    from cProfile import Profile

    return Profile()


#: cProfile names a method after what the object has under that name, which is what calls super().
_SUPER = {
    "<function _SpoofOut.getvalue>": "<method 'getvalue' of '_io.StringIO' objects>",
    "<function _SpoofOut.truncate>": "<method 'truncate' of '_io.StringIO' objects>",
    "<function Random.seed>": "<method 'seed' of '_random.Random' objects>",
    "<classmethod(<function Generic.__init_subclass__>)>": "<method '__init_subclass__' of 'object' objects>",
}


def profiled(profiles, program):
    """Without garbage collections: who allocates what decides when they call what weak references call."""
    gc.collect()
    gc.disable()
    for profile in profiles:
        program = partial(profile.runcall, program)
    program()


def again(program):
    """The program, some times: so the first calls of functions, at which profilers do most, are few."""
    for _ in range(AGAIN):
        program()


def functions(profile):
    """[key, flags of the code, amounts] of each function; by key, as many may have one.

    Amounts: calls, those that it made itself, code objects that it was, those that it called itself, seconds
    in the function itself and in all.
    """
    found = {}
    for entry in profile.getstats():
        code, flags = entry.code, 0
        if isinstance(code, str):
            text = re.sub(" at 0x[0-9a-f]+", "", code)
            key = "", 0, _SUPER.get(text, text).strip("<>{}")
        else:
            key, flags = (code.co_filename, code.co_firstlineno, code.co_name), getattr(code, "co_flags", 0)
        callees = entry.calls or ()
        made = sum(one.callcount for one in callees)
        amounts = entry.callcount, made, 1, len(callees), entry.inlinetime, entry.totaltime
        before, known = found.get(key, ((0,) * len(amounts), 0))
        found[key] = [*map(sum, zip(before, amounts))], known | flags
    return [[key, flags, amounts] for key, (amounts, flags) in found.items()]


def compare(program):
    """Print how many functions were called as often; whether all were."""
    runs = [[{tuple(key): (amounts[0], flags) for key, flags, amounts in run(tool, program)["functions"]}
             for _ in range(SAME)] for tool in ("functions of ours", "functions of cProfile")]
    ours, theirs = (of_tool[0] for of_tool in runs)
    varying = {key for of_tool in runs for key in of_tool[0].keys() | of_tool[1].keys()
               if len({one.get(key) for one in of_tool}) > 1}
    steps = {key for key, (_, flags) in theirs.items() if flags & GENERATORS}
    comprehensions = {key for key in theirs if key[2] in COMPREHENSIONS}
    own = {("", 0, "method 'disable' of '_lsprof.Profiler' objects")}
    keys = (ours.keys() | theirs.keys()) - steps - comprehensions - own - varying
    wrong = {key for key in keys if ours.get(key, (0,))[0] != theirs.get(key, (0,))[0]}
    calls = sum(theirs.get(key, (0,))[0] for key in keys)
    of_c = sum(not key[0] for key in keys)
    print(f"{program:14} {len(keys) - len(wrong)} of {len(keys)} functions, {of_c} of them in C, with "
          f"{calls} calls; besides {len(steps)} generators, {len(comprehensions)} comprehensions and "
          f"{len(varying)} that the program itself calls now more, now less")
    for key in sorted(wrong):
        print(f"    {key}: {ours.get(key, (0,))[0]} here, {theirs.get(key, (0,))[0]} there")
    return not wrong


# ---- Durations

AGAIN = 5  # runs that both record, one behind the other
LONG = 1e-3  # seconds from which on a function is compared
LITTLE = 0.05  # of its time, at most so much from the profilers
FIRST = 10e-6  # seconds that both take at the first call of a code object; exec() may make one each time
CLOSE = 0.05


def compare_durations(program):
    """Print how many functions take as long by cProfile as by ours, within CLOSE; whether all do.

    Both record the same runs, as a program takes longer in one run than in the next.
    """
    found = run("both", program)
    plain = AGAIN * min(run("plain", program)["seconds"] for _ in range(3))
    ours, theirs = ({tuple(key): (flags, amounts) for key, flags, amounts in found[tool]}
                    for tool in ("functions", "theirs"))
    inside = {tuple(key): AGAIN * calls for key, calls in run("inside", program)["inside"]}
    per_call = (found["seconds"] - plain) / sum(amounts[0] for _, amounts in theirs.values())
    all_are_close = True
    for place, what in (4, "own"), (5, "cumulative"):
        compared = {}
        for key, (flags, amounts) in theirs.items():
            calls, made, codes, called, seconds = *amounts[:4], amounts[place]
            added = per_call * (calls + (made if what == "own" else inside.get(key, 0)))
            added += FIRST * (codes + (called if what == "own" else 0))
            if (key in ours and not flags & GENERATORS and key[2] not in COMPREHENSIONS
                    and (key[0] or what == "own") and seconds >= LONG and added <= LITTLE * seconds):
                compared[key] = ours[key][1][place] / seconds - 1
        far = sorted((key for key in compared if abs(compared[key]) > CLOSE), key=compared.get)
        farthest = max(map(abs, compared.values()), default=0)
        print(f"{program:14} {what}: {len(compared) - len(far)} of {len(compared)} functions within "
              f"{CLOSE:.0%}, the farthest {farthest:.1%} away")
        for key in far:
            print(f"    {compared[key]:+.1%} of {theirs[key][1][place] * 1e3:.1f} ms: {key}")
        all_are_close &= not far
    return all_are_close


def calls_inside(program):
    """[key, calls that were made inside the function at whatever depth] of each, in Python."""
    made, begun, active, inside = 0, [], {}, {}

    def note(frame, event, _):
        nonlocal made
        if event == "c_call":
            made += 1
        elif event == "call":
            made += 1
            key = frame.f_code.co_filename, frame.f_code.co_firstlineno, frame.f_code.co_name
            begun.append((key, made))
            active[key] = active.get(key, 0) + 1
        elif event == "return" and begun:
            key, before = begun.pop()
            active[key] -= 1
            if not active[key]:
                inside[key] = inside.get(key, 0) + made - before

    sys.setprofile(note)
    program()
    sys.setprofile(None)
    return [*inside.items()]


# ---- Times


def under(tool):
    """What runs a program under the profiler."""
    name, _, of_c = tool.partition(", ")
    made = {"plain": plain, "ours": ours, "0.7.5": peer, "cProfile": cprofile, "VizTracer": viztracer,
            "yappi": yappi}
    return made[name](bool(of_c))


def plain(_):
    return lambda program: program()


def ours(of_c):
    from scope_profiler import ProfileManager, calls

    manager = ProfileManager()

    def around(program):
        with calls.tracing(manager, only_user_code=False):
            program()

    for _ in range(2):  # what it measures of itself at its first use
        manager.setup(output=None, verbose=False, trace_c=of_c, replace=True)
        around(int)
    return around


def peer(_):
    from scope_profiler import ProfileManager

    ProfileManager.setup(deactivate_file_output=True)
    return lambda program: ProfileManager.profile("program", recursive=True)(program)()


def cprofile(of_c):
    from cProfile import Profile

    return Profile(builtins=of_c).runcall


def viztracer(of_c):
    from viztracer import VizTracer

    tracer = VizTracer(ignore_c_function=not of_c, verbose=0)
    sys.setprofile(None)  # up to 3.11 it is installed now, and would prepare much of the code

    def around(program):
        tracer.start()
        program()
        tracer.stop()

    return around


def yappi(of_c):
    import yappi

    yappi.set_clock_type("wall")

    def around(program):
        yappi.start(builtins=of_c)
        program()
        yappi.stop()

    return around


def print_times(programs, rounds):
    tools = ("plain", *TOOLS)
    print(f"{'':14}{'plain':>9}" + "".join(f"{tool:>14}" for tool in TOOLS), flush=True)
    for program in programs:
        taken = {tool: [] for tool in tools}
        for _ in range(rounds):
            for tool in tools:
                taken[tool].append(run(tool, program)["seconds"])
        least = {tool: min(seconds) for tool, seconds in taken.items()}
        print(f"{program:14}{least['plain'] * 1e3:6.0f} ms"
              + "".join(f"{least[tool] / least['plain']:13.2f}×" for tool in TOOLS), flush=True)


if __name__ == "__main__":
    main()
