"""What line_profiler counts in line_cases.py, to be compared with.

Run it with an interpreter that has line_profiler:

    python tests/line_profiler_reference.py            write it down in line_hits.json
    python tests/line_profiler_reference.py --print    print it as JSON, for a test that asks live

line_hits.json holds {Python version: {case: {function: {line: hits}}}}; lines are counted from
the function's first, 0, so that a case may move. A run replaces its own Python version's part.
"""

import functools
import hashlib
import json
from pathlib import Path
import sys

CASES_FILE = Path(__file__).with_name("line_cases.py")
HITS_FILE = Path(__file__).with_name("line_hits.json")
VERSION = "{}.{}".format(*sys.version_info)


@functools.cache
def compiled():
    """The code of line_cases.py."""
    return compile(CASES_FILE.read_text(encoding="utf-8"), str(CASES_FILE), "exec")


def load(profile):
    """Execute line_cases.py with this decorator; returns its CASES."""
    names = {"__name__": "line_cases", "__file__": str(CASES_FILE), "profile": profile}
    exec(compiled(), names)
    return names["CASES"]


def case_names():
    """The names of all cases."""
    return list(load(lambda function: function))


def digest():
    """Tells whether a reference was made from line_cases.py as it is now."""
    return hashlib.sha256(CASES_FILE.read_bytes()).hexdigest()


def by_function(timings):
    """{(file, first line, function): [(line, hits, time), ...]} as {function: {line: hits}}."""
    hits = {}
    for (_, first, name), rows in sorted(timings.items()):
        if rows:
            lines = hits.setdefault(name, {})
            for line, count, _ in rows:
                lines[str(line - first)] = count
    return hits


def line_profiler_hits(name):
    """What line_profiler counts in this case.

    The functions are registered and the profiler is on around the case: used as a decorator it
    puts a generator of its own around generators, which forwards neither throw() nor the value
    returned.
    """
    from line_profiler import LineProfiler

    profiler = LineProfiler()

    def profile(function):
        profiler.add_function(function)
        return function

    case = load(profile)[name]
    with profiler:
        case()
    return by_function(profiler.get_stats().timings)


def main(arguments):
    hits = {name: line_profiler_hits(name) for name in case_names()}
    if arguments == ["--print"]:
        json.dump(hits, sys.stdout)
        return
    reference = json.loads(HITS_FILE.read_text()) if HITS_FILE.exists() else {}
    if reference.get("digest") != digest():
        reference = {"digest": digest()}  # the cases have changed: all versions are to be redone
    reference[VERSION] = hits
    HITS_FILE.write_text(json.dumps(reference, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
