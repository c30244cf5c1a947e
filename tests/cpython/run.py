"""CPython's own tests under this profiler: each has to end as it does without.

    run.py [--mode MODE] [--short] [-j N] [TEST...]

Each module of modules.py (or each TEST) runs plain first, then in each mode, in processes of their
own. A test that ends differently is run again; when it does so again, it has to stand in the table
of docs/other_tools.md, where each difference has its reason. A crash, a hang, an exit status, or
results that are not in the file are failures whatever the tests say. Ends with status 1 for any of
them. Needs an interpreter that has its `test` package.
"""

import argparse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
import json
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from modules import MODULES, SHORT

from scope_profiler import load

HERE = Path(__file__).resolve().parent
KNOWN = HERE.parents[1] / "docs" / "other_tools.md"
VERSION = "%d.%d" % sys.version_info[:2]

# For each mode the options of `scope-profiler run`, its settings, and what the worker does with the
# modules that the tests are about.
MODES = {
    "every function": (["--all"], "", None),
    "lines": (["--line-profile"], "", "--decorate"),
    "watched lines": (["--line-profile"], "", "--watch"),
    "registered lines": ([], "", "--register"),
    "decorated": ([], "track_async = true\ntrack_threads = true\n", "--decorate"),
}
PLAIN_LIMIT = 200  # seconds; CPython's own tests hang at times, too
LOST = re.compile(r"no memory was left|lines could not be recorded|^scope-profiler: \w+: ")


class Run(NamedTuple):
    """What became of a test module in one process."""

    outcomes: dict  # {test id: "passed", "skipped", ...}
    reasons: dict  # {test id: the traceback of its last failure}
    problem: "str | None"  # a crash, a hang, lost results
    seconds: float


class Known(NamedTuple):
    """A row of the table of differences."""

    tests: str
    modes: str
    versions: str
    reason: str

    def covers(self, test, mode):
        versions = self.versions
        return (
            fnmatchcase(test, self.tests)
            and (self.modes == "all" or mode in self.modes.split(", "))
            and (versions == "all" or VERSION in versions.split(", ")
                 or versions.endswith(" and newer")
                 and _number(VERSION) >= _number(versions.split()[0]))
        )


def _number(version):
    return tuple(map(int, version.split(".")))


def known_differences(text):
    """The rows of the table whose head is | Test | Mode | Python | Reason |."""
    lines = text.splitlines()
    rows = []
    for line in lines[lines.index("| Test | Mode | Python | Reason |") + 2:]:
        if not line.startswith("|"):
            break
        tests, modes, versions, reason = (cell.strip() for cell in line.strip("|").split("|"))
        rows.append(Known(tests.strip("`"), modes, versions, reason))
    return rows


def differences(plain, other):
    """{test id: (how it ended plain, how it ended in the mode)}, where these differ."""
    return {
        test: (plain.get(test, "missing"), other.get(test, "missing"))
        for test in plain.keys() | other.keys()
        if plain.get(test) != other.get(test)
    }


def read_outcomes(path):
    """({test id: how it ended}, {test id: reason}, the test that was running at the end, whether
    all were run, how many ended)."""
    ends, reasons, running, complete, stops = {}, {}, None, False, 0
    if not path.exists():
        return ends, reasons, running, complete, stops
    for line in path.read_text().splitlines():
        kind, test, reason = json.loads(line)
        test = test.removeprefix("test.")
        if kind == "begin":
            running = test
        elif kind == "end":
            running = None
            stops += 1
        elif kind == "all":
            complete = True
        else:
            ends.setdefault(test, set()).add(kind)
            if reason:
                reasons[test] = reason
    return ({test: " and ".join(sorted(kinds)) for test, kinds in ends.items()}, reasons, running,
            complete, stops)


def run_one(test, mode=None, limit=PLAIN_LIMIT):
    with tempfile.TemporaryDirectory(prefix="cpython_tests_", ignore_cleanup_errors=True) as folder:
        folder = Path(folder)
        work = folder / "work"
        work.mkdir()
        file = folder / "profile.h5"
        worker = [str(HERE / "worker.py"), test, str(folder / "outcomes")]
        command = [sys.executable, "-X", "faulthandler"]
        if mode is not None:
            options, settings, how = MODES[mode]
            (folder / "settings.toml").write_text(settings)
            command += ["-m", "scope_profiler", "run", "-o", str(file), *options,
                        "--config", str(folder / "settings.toml")]
            if how is not None:
                worker += [how, *MODULES[test]]
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("SCOPE_PROFILER_", "PYTHON"))}
        began = time.monotonic()
        with open(folder / "output", "w+") as output:
            process = subprocess.Popen(
                command + worker, cwd=work, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, env={**environment, "TMPDIR": str(work)},
            )
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGABRT)  # faulthandler shows where it is
                status = None
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    pass
            try:
                os.killpg(process.pid, signal.SIGKILL)  # what the tests have left behind
            except ProcessLookupError:
                pass
            process.wait()
            output.seek(0)
            said = output.read()
        seconds = time.monotonic() - began
        outcomes, reasons, running, complete, stops = read_outcomes(folder / "outcomes")
        problem = None
        if status is None:
            problem = f"hangs in {running}: still running after {limit:.0f} s"
        elif status != 0:
            problem = f"ends with status {status} in {running}"
        elif not complete:
            problem = f"ends early in {running}"
        elif mode is not None:
            problem = _lost(mode, file, stops, said)
        if problem is not None:
            problem += "\n" + _indented(_end_of(said))
        return Run(outcomes, reasons, problem, seconds)


def _end_of(said):
    """The traceback that was printed last, or the last of all."""
    found = [said.rfind(words) for words in ("Fatal Python error", "Traceback (most recent call")]
    begin = max(found) if max(found) >= 0 else -3000
    return said[begin:][:3000]


def _lost(mode, file, stops, said):
    """What is missing in the results, or None."""
    for line in said.splitlines():
        if LOST.search(line):
            return f"results are lost: {line}"
    try:
        results = load(file)
    except Exception as error:
        return f"no results: {type(error).__name__}: {error}"
    if mode == "every function":
        counted = results["__main__.Outcomes.stopTest"].num_calls
        if counted != stops:
            return f"{counted} calls of stopTest are in the results, there were {stops}"
    elif not results.region_names:
        return "no region is in the results"
    return None


def check(test, modes, known):
    """Runs a module plain and in the modes; returns (lines to print, whether all is well, the rows
    of the table that were met)."""
    plain = run_one(test)
    if plain.problem is not None:
        return [f"{test}: PASSED OVER, without the profiler it {plain.problem}"], True, set()
    lines = [f"{test}: {len(plain.outcomes)} tests, {plain.seconds:.1f} s plain"]
    good, met = True, set()
    limit = 2 * PLAIN_LIMIT
    for mode in modes:
        run = run_one(test, mode, limit)
        differ = differences(plain.outcomes, run.outcomes)
        rows = {name: [row for row in known if row.covers(name, mode)] for name in differ}
        if run.problem is None and not all(rows.values()):  # by chance?
            again = run_one(test, mode, limit)
            plain_again = run_one(test)
            differ = {name: ends for name, ends in differ.items()
                      if name in differences(plain_again.outcomes, again.outcomes) or rows[name]}
            run = run._replace(problem=again.problem)
        new = {name for name in differ if not rows[name]}
        met.update(row for name in differ for row in rows[name])
        said = f"    {mode}: {run.seconds:.1f} s"
        if differ.keys() - new:
            said += f", {len(differ.keys() - new)} known differences"
        lines.append(said)
        if run.problem is not None:
            lines.append(f"        FAILED: {run.problem}")
        for name in sorted(new) if run.problem is None else ():
            lines.append("        NEW: {}: {} plain, {}".format(name, *differ[name]))
            lines.append(_indented(run.reasons.get(name, "")[-600:]))
        good = good and run.problem is None and not new
    return lines, good, met


def _indented(text):
    return "\n".join("            " + line for line in text.splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tests", nargs="*", metavar="TEST", help="all when none is named")
    parser.add_argument("--mode", action="append", choices=MODES, help="all when none is named")
    parser.add_argument("--short", action="store_true", help=f"only {', '.join(SHORT)}")
    parser.add_argument("-j", type=int, default=os.cpu_count(), dest="jobs", metavar="N",
                        help="how many at a time")
    args = parser.parse_args()
    tests = args.tests or (SHORT if args.short else list(MODULES))
    if unknown := [test for test in tests if test not in MODULES]:
        parser.error(f"not in modules.py: {', '.join(unknown)}")
    known = known_differences(KNOWN.read_text())
    failed, met, number = [], Counter(), 0
    with ThreadPoolExecutor(args.jobs) as pool:
        modes = args.mode or list(MODES)
        futures = {test: pool.submit(check, test, modes, known) for test in tests}
        for number, (test, future) in enumerate(futures.items(), 1):
            lines, good, rows = future.result()
            print(f"[{number}/{len(tests)}] {VERSION} " + "\n".join(lines), flush=True)
            met.update(rows)
            if not good:
                failed.append(test)
    print(f"Python {VERSION}: {len(tests) - len(failed)} of {len(tests)} modules end as without "
          f"the profiler, but for {len(met)} known differences")
    if failed:
        print("FAILED:", *failed)
        sys.exit(1)


if __name__ == "__main__":
    main()
