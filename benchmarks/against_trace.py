"""against_trace.py: what counting and printing every line costs, here and with the standard library's trace.

    .venv/bin/python benchmarks/against_trace.py [--rounds 3]

Each program runs in processes of its own: plain, under `scope-profiler run` and under `python -m trace`.
Times are of the processor, the least of some rounds, and less what the same takes with an empty program;
so what is compared is what each adds to the program.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile

LOOPS = """
def work(n):
    a = b = 0
    for i in range(n):
        a += i
        b = a - b
        if b > 100_000:
            b = 0
    return b
work({})
"""

CALLS = """
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)
fib({})
"""

GENERATORS = """
def numbers(n):
    for i in range(n):
        yield i
def work(n):
    return sum(numbers(n)) + sum([x for x in numbers(n)])
work({})
"""

MODULES = """
import json, textwrap
from json import decoder, encoder, scanner
encoder.c_make_encoder = None
text = textwrap.__doc__ * 20
for _ in range({}):
    json.JSONEncoder(indent=1).encode({{"a": [1, 2.5, {{"b": text}}] * 20}})
    textwrap.fill(text, 60)
"""

#: {name: (program, how large it is where lines are counted, and where they are printed)}
PROGRAMS = {
    "loops": (LOOPS, 300_000, 50_000), "calls": (CALLS, 24, 20),
    "generators": (GENERATORS, 200_000, 30_000), "json, textwrap": (MODULES, 400, 40),
}
WAYS = ("count", "trace")

#: Without this, or each line would be a call of the system.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="of which the fastest counts")
    rounds = parser.parse_args().rounds
    print(f"{'':22}{'plain':>10}{'trace adds':>12}{'we add':>10}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        nothing = {way: taken(folder, "", way, rounds) for way in WAYS}
        for way in WAYS:
            for name, (text, *sizes) in PROGRAMS.items():
                row(f"{name}, {way}", taken(folder, text.format(sizes[WAYS.index(way)]), way, rounds),
                    nothing[way])


def row(name, seconds, nothing):
    plain, theirs, ours = (took - start for took, start in zip(seconds, nothing))
    print(f"{name:22}{plain * 1e3:8.1f}ms{(theirs - plain) * 1e3:10.1f}ms{(ours - plain) * 1e3:8.1f}ms"
          f"{(ours - plain) / (theirs - plain):8.3f}")


def taken(folder, text, way, rounds):
    """Seconds of the processor: plain, under trace and under ours."""
    program = os.path.join(folder, "program.py")
    with open(program, "w") as file:
        file.write(text)
    options = [f"--{way}", f"--coverdir={os.path.join(folder, 'covered')}"]
    commands = (
        [program],
        ["-m", "trace", *options, program],
        ["-m", "scope_profiler", "run", "--no-output", "--all", *options, program],
    )
    runs = [[processor_time(command) for command in commands] for _ in range(rounds)]
    return [min(times) for times in zip(*runs)]


def processor_time(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, check=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(getattr(after, name) - getattr(before, name) for name in ("ru_utime", "ru_stime"))


if __name__ == "__main__":
    main()
