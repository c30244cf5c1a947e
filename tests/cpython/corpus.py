"""Functions of the standard library, driven by CPython's own tests: LineProfiler counts the hits of each
line as line_profiler does.

    corpus.py --peer PYTHON [-j N] [--json FILE] [TEST...]

PYTHON is an interpreter of the same version that has line_profiler 5.1.0. For each test module every
function of the modules that it is about is registered, and the tests run while profiling is on, in a
process of its own for each profiler and each of two rounds. Lines whose hits differ between the rounds
of one profiler vary by themselves and are left out. What differs else is printed, and ends with status
1 unless KNOWN has the reason. Needs an interpreter that has its `test` package.
"""

import argparse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
import importlib
import json
import os
from pathlib import Path
import random
import subprocess
import sys
import tempfile

from modules import MODULES

HERE = Path(__file__).resolve().parent
LIMIT = 500  # seconds

# Quick ones. Not those whose threads run what is registered, which line_profiler counts on 3.12 and newer
# as soon as one thread is on; nor those that count what the garbage collector does, nor test_statistics,
# for which line_profiler takes more than eight minutes there.
TESTS = """
    test_argparse test_base64 test_bisect test_calendar test_cmd test_codeop test_colorsys
    test_configparser test_contextlib test_copy test_csv test_dataclasses test_fnmatch test_fractions
    test_functools test_getopt test_graphlib test_heapq test_html test_htmlparser test_ipaddress
    test_json test_linecache test_mimetypes test_netrc test_operator test_optparse test_ordered_dict
    test_pkgutil test_plistlib test_pprint test_quopri test_reprlib test_shlex test_string
    test_stringprep test_tabnanny test_textwrap test_urlparse test_userdict test_userlist
    test_http_cookies test_minidom test_asyncio.test_pep492 test_traceback
""".split()

# Why hits differ, by the functions in which they do.
_SHARED = ("closures of one code: line_profiler counts those alone that were registered, as it gives each "
           "function a code of its own; here the code counts")
_ONE_LINE_LOOP = "a loop on one line: from 3.12 on, line_profiler counts it once and not each round"
_ON_DEF_LINE = "a body on its `def` line: from 3.13 on, line_profiler does not count it"
KNOWN = {
    "recursive_repr.<locals>.decorating_function.<locals>.wrapper": _SHARED,
    "_recursive_repr.<locals>.wrapper": _SHARED,
    "Cmd.parseline": _ONE_LINE_LOOP,
    "Sniffer.has_header": _ONE_LINE_LOOP,
    "TopologicalSorter.static_order": _ONE_LINE_LOOP,
    "HTMLCalendar.formatweekday": _ON_DEF_LINE,
    "Morsel.__repr__": _ON_DEF_LINE,
    "_recursion": _ON_DEF_LINE,
    "_compose_mro": "it goes through the classes that are loaded, of which the profilers have some",
}


# ---- One run


def make_profiler(tool):
    if tool == "ours":
        from scope_profiler.line_profiler import LineProfiler
    else:
        from line_profiler import LineProfiler
    return LineProfiler()


def same_path(path):
    """As long for both profilers: some functions go along sys.path, and one profiler is a folder on it."""
    return [folder for folder in path if not Path(folder, "scope_profiler", "_core.pyi").exists()
            or Path(folder).name == "site-packages"]


def worker(tool, test, out):
    """Run a test module with the functions of what it is about registered; write the hits."""
    import unittest
    import warnings

    from worker import functions, modules_of

    warnings.simplefilter("ignore")
    random.seed(0)
    profiler = make_profiler(tool)
    unittest_of = importlib.import_module(f"test.{test}")
    registered = {}
    for function in functions(list(modules_of(MODULES[test]))):
        registered.setdefault(id(function), function)
    for function in registered.values():
        profiler.add_function(function)
    suite = unittest.defaultTestLoader.loadTestsFromModule(unittest_of)
    result = unittest.TestResult()
    path = sys.path[:]
    sys.path[:] = same_path(path)
    profiler.enable_by_count()
    suite.run(result)
    profiler.disable_by_count()
    sys.path[:] = path
    lines = {f"{Path(file).name}:{first}:{name}": {str(line): hits for line, hits, _ in rows}
             for (file, first, name), rows in profiler.get_stats().timings.items()}
    bad = sorted(case.id() for case, _ in result.failures + result.errors)
    Path(out).write_text(json.dumps({"lines": lines, "run": result.testsRun, "bad": bad}))


def run(python, tool, test):
    with tempfile.TemporaryDirectory(prefix="corpus_", ignore_cleanup_errors=True) as folder:
        out = Path(folder, "hits.json")
        work = Path(folder, "work")
        work.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": "0", "TMPDIR": str(work)}
        command = [python, str(HERE / "corpus.py"), "--worker", tool, test, str(out)]
        done = subprocess.run(command, cwd=work, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=LIMIT)
        if not out.exists():
            raise RuntimeError(f"{tool} {test}: {done.returncode}: {done.stderr[-1500:]}")
        return json.loads(out.read_text())


# ---- Comparing


def cells(runs):
    """({(function, line): hits} of a profiler, those that are not the same in all its runs)."""
    found = [{(function, line): hits for function, rows in one["lines"].items()
              for line, hits in rows.items()} for one in runs]
    keys = set().union(*found)
    return ({key: found[0].get(key, 0) for key in keys},
            {key for key in keys if len({one.get(key, 0) for one in found}) > 1})


def compare(peer, test):
    ours = [run(sys.executable, "ours", test) for _ in range(2)]
    theirs = [run(peer, "theirs", test) for _ in range(2)]
    (our_hits, our_moves), (their_hits, their_moves) = cells(ours), cells(theirs)
    functions = {name for name, rows in theirs[0]["lines"].items() if rows}
    known_to_both = {*theirs[0]["lines"]}
    keys = {key for key in our_hits.keys() | their_hits.keys() if key[0] in known_to_both}
    moves = {key for key in keys if key in our_moves | their_moves}
    differ = {key: (our_hits.get(key, 0), their_hits.get(key, 0)) for key in sorted(keys - moves)
              if our_hits.get(key, 0) != their_hits.get(key, 0)}
    return {"functions": len(functions), "lines": len(keys - moves), "varying": len(moves),
            "tests": ours[0]["run"], "differ": [[*key, *hits] for key, hits in differ.items()],
            "outcomes": [ours[0]["bad"], theirs[0]["bad"]]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--peer", metavar="PYTHON", help="with line_profiler 5.1.0")
    parser.add_argument("--json", metavar="FILE", help="write all that was found")
    parser.add_argument("-j", type=int, default=os.cpu_count(), dest="jobs", metavar="N")
    parser.add_argument("tests", nargs="*", metavar="TEST", default=TESTS)
    args = parser.parse_args()
    if args.worker:
        return worker(*args.worker)
    total, found = Counter(), {}
    with ThreadPoolExecutor(args.jobs) as pool:
        futures = {test: pool.submit(compare, args.peer, test) for test in args.tests}
        for test, future in futures.items():
            try:
                one = found[test] = future.result()
            except Exception as error:
                print(f"{test}: FAILED: {error}", flush=True)
                total["failed"] += 1
                continue
            total.update({name: one[name] for name in ("functions", "lines", "varying", "tests")})
            reasons = [KNOWN.get(row[0].split(":", 2)[2]) for row in one["differ"]]
            total["explained"] += len(reasons) - reasons.count(None)
            total["different"] += reasons.count(None)
            print(f"{test}: {one['functions']} functions, {one['lines']} lines, "
                  f"{one['varying']} vary, {len(one['differ'])} differ", flush=True)
            for (function, line, ours, theirs), reason in zip(one["differ"], reasons, strict=True):
                print(f"    {function} line {line}: {ours}, line_profiler {theirs} "
                      f"({reason or 'NEW'})", flush=True)
    print(", ".join(f"{name} {number}" for name, number in total.items()))
    if args.json:
        Path(args.json).write_text(json.dumps(found, indent=1))
    return 1 if total["failed"] or total["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
