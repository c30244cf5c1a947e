"""against_cprofile.py [PROGRAM ...]: whether calls of Python functions are counted as cProfile counts them.

    .venv/bin/python benchmarks/against_cprofile.py

Each program runs in a process of its own under each of both, and calls are compared function by function,
by file, first line and name. Not compared are functions in C and, by number, what counts in another way:
a generator or coroutine is one call here and one for each step there; comprehensions, functions of
their own up to 3.11, are part of the function that they stand in here. Programs of packages that are not
installed are left out.
"""

import argparse
import contextlib
import inspect
import io
import json
import os
import subprocess
import sys
from time import perf_counter

GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>"}


def json_texts():
    import json

    value = {"a": [1, 2.5, None, {"b": "c" * 10}] * 50}
    for _ in range(20):
        json.loads(json.dumps(value, indent=2, sort_keys=True))


def differences():
    import difflib

    before = [f"line {number} {number % 7}\n" for number in range(300)]
    after = [line for number, line in enumerate(before) if number % 11] + ["more\n"]
    "".join(difflib.unified_diff(before, after))
    list(difflib.ndiff(before[:60], after[:60]))


def arguments():
    import argparse

    parser = argparse.ArgumentParser()
    for number in range(30):
        parser.add_argument(f"--option-{number}", type=int, default=number, help="a help")
    for number in range(30):
        parser.parse_args([f"--option-{number}", "3"])
        parser.format_help()


def templates():
    import jinja2

    text = "{% for row in rows %}<li>{{ row.name|upper }}: {{ loop.index }}</li>{% endfor %}"
    environment = jinja2.Environment(autoescape=True)
    rows = [{"name": f"<{number}>"} for number in range(200)]
    for _ in range(10):
        environment.from_string(text).render(rows=rows)


def graphs():
    import networkx

    graph = networkx.barabasi_albert_graph(300, 3, seed=1)
    networkx.betweenness_centrality(graph, k=20, seed=1)
    networkx.minimum_spanning_tree(graph)
    dict(networkx.all_pairs_shortest_path_length(graph, cutoff=3))


def documents():
    import ast
    import textwrap

    with open(inspect.getsourcefile(textwrap), encoding="utf-8") as file:
        text = file.read()
    for _ in range(5):
        ast.unparse(ast.parse(text))
        textwrap.fill(text, 60)


PROGRAMS = {
    "json": json_texts, "difflib": differences, "argparse": arguments, "ast, textwrap": documents,
    "jinja2": templates, "networkx": graphs,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("programs", metavar="PROGRAM", nargs="*", help=", ".join(PROGRAMS))
    parser.add_argument("--worker", choices=["ours", "theirs", "plain"], help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5, help="of which the fastest counts")
    given = parser.parse_args()
    if given.worker:
        print(json.dumps(measured(given.worker, PROGRAMS[given.programs[0]])))
        return
    names = given.programs or [*PROGRAMS]
    print(f"{'program':15}{'functions':>10}{'calls':>10}{'equal':>8}{'steps':>7}{'compr.':>8}"
          f"{'plain':>10}{'ours':>8}{'cProfile':>10}")
    failed = False
    for name in names:
        try:
            failed |= not compared(name, given.rounds)
        except ModuleNotFoundError as error:
            print(f"{name:15} {error}")
    sys.exit(failed)


def compared(name, rounds):
    """Print the row of a program; whether all functions were called as often."""
    found = {kind: [worker(kind, name) for _ in range(rounds)] for kind in ("plain", "ours", "theirs")}
    ours, theirs = (functions(found[kind][0]) for kind in ("ours", "theirs"))
    steps = {key for key, (_, flags) in theirs.items() if flags & GENERATORS}
    comprehensions = {key for key in theirs if key[2] in COMPREHENSIONS}
    keys = (ours.keys() | theirs.keys()) - steps - comprehensions
    wrong = [key for key in keys if ours.get(key, (0,))[0] != theirs.get(key, (0,))[0]]
    seconds = {kind: min(run["seconds"] for run in runs) for kind, runs in found.items()}
    print(f"{name:15}{len(keys):10}{sum(theirs.get(key, (0,))[0] for key in keys):10}"
          f"{len(keys) - len(wrong):8}{len(steps):7}{len(comprehensions):8}"
          f"{seconds['plain'] * 1e3:8.1f}ms"
          f"{seconds['ours'] / seconds['plain']:7.2f}×{seconds['theirs'] / seconds['plain']:9.2f}×")
    for key in sorted(wrong):
        print(f"    {key}: {ours.get(key, (0,))[0]} here, {theirs.get(key, (0,))[0]} there")
    return not wrong


def functions(run):
    return {tuple(key): (calls, flags) for key, calls, flags in run["functions"]}


def worker(kind, name):
    done = subprocess.run([sys.executable, __file__, "--worker", kind, name], capture_output=True,
                          text=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    if done.returncode:
        if "ModuleNotFoundError" in done.stderr:
            raise ModuleNotFoundError(done.stderr.splitlines()[-1])
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def measured(kind, program):
    """The calls of the functions of a program, and how long it took; everything is imported before."""
    with contextlib.redirect_stdout(io.StringIO()):
        program()
        profile = None
        if kind == "ours":
            from scope_profiler.cprofile import Profile

            Profile().runcall(int)  # what it measures of itself at its first use
            profile = Profile()
        elif kind == "theirs":
            from cProfile import Profile

            profile = Profile()
        begun = perf_counter()
        if profile is None:
            program()
        else:
            profile.runcall(program)
        seconds = perf_counter() - begun
    return {"seconds": seconds, "functions": rows(kind, profile)}


def rows(kind, profile):
    """[key, calls, flags of the code] of each Python function; by key, as many codes may have one."""
    if profile is None:
        return []
    found = {}
    for entry in profile.getstats():
        if isinstance(entry.code, str):
            continue
        key = entry.code.co_filename, entry.code.co_firstlineno, entry.code.co_name
        calls, flags = found.get(key, (0, 0))
        found[key] = calls + entry.callcount, flags | getattr(entry.code, "co_flags", 0)
    return [[key, *values] for key, values in found.items()]


if __name__ == "__main__":
    main()
