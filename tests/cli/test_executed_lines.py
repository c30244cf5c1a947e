"""The options of `scope-profiler run` that do what the trace module does, against that."""

import os
import re
import subprocess
import sys

from click.testing import CliRunner
import pytest

import scope_profiler
from scope_profiler.cli.group import group

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(scope_profiler.__file__)
PROGRAM = os.path.join(HERE, "executed_program.py")
STATUS = 3  # the program's
ALL = "--count", "--missing", "--trace", "--listfuncs", "--trackcalls"

# Their calls are a header of the listing for each step there, here only where a line of it runs.
STEPS = r"(delegated|co|ag|main|gen|profiled|<genexpr>)"


def python(*words, folder, code=0):
    done = subprocess.run([sys.executable, *map(str, words)], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def ours(*words, folder, **how):
    return python("-m", "scope_profiler", "run", "--no-output", *words, folder=folder, **how)


def theirs(*words, folder, **how):
    """Without the standard library, and what is installed."""
    ignored = [sys.base_prefix, sys.prefix, PACKAGE]
    return python("-m", "trace", *(f"--ignore-dir={folder}" for folder in ignored), *words, PROGRAM,
                  folder=folder, **how)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """What both print of the program, and the folder in which the listings of each are."""
    folder = tmp_path_factory.mktemp("executed")
    here, _ = ours(*ALL, "--coverdir", "ours", PROGRAM, folder=folder, code=STATUS)
    # The trace module ends well when the program does not.
    there, _ = theirs("--count", "--missing", "--trace", "-C", "theirs", folder=folder)
    callers, _ = python("-m", "trace", "--trackcalls", PROGRAM, folder=folder)
    return here, there, callers, folder


def test_counts_are_those_of_the_trace_module(runs):
    folder = runs[-1]
    # Which names its files the way to them: a folder in sys.path may be above another.
    found = {kind: {path.name.rpartition("executed_")[2]: path.read_text()
                    for path in (folder / kind).iterdir()} for kind in ("ours", "theirs")}
    assert found["ours"].keys() == {"program.cover", "helper.cover"}
    assert found["ours"] == found["theirs"]
    assert ">>>>>>     return 4" not in found["ours"]["program.cover"]
    assert re.search(r"^>>>>>>         y = 1$", found["ours"]["program.cover"], re.MULTILINE)


def executed(text):
    """The lines of a listing, and the begins of calls but those of steps."""
    lines = re.findall(r"executed_\w+\.py\(\d+\):.*|--- modulename.*", text)
    return [re.sub(r":\s+", ": ", line, count=1) for line in lines
            if not re.search(rf"funcname: {STEPS}$", line)]


def test_lines_are_listed_as_by_the_trace_module(runs):
    here, there, *_ = runs
    assert executed(here) == executed(there)
    assert len(executed(here)) > 300
    # They are where the program prints.
    assert re.search(r"print\(g.throw\(ValueError\)\)\n(.*\n)+?-1\n", here)
    assert " --- modulename: executed_program, funcname: gen\n" in here


def pairs(text):
    """Which functions of the program have called which, without what they are in."""
    found = re.findall(r"^ +(executed_\S+) -> (executed_\S+)$", text, re.MULTILINE)
    return {tuple(re.sub(r"\..*\.", ".", name) for name in pair) for pair in found
            if "comp>" not in str(pair)}  # functions up to 3.11, there


def test_functions_and_who_calls_them(runs):
    here, _, there, _ = runs
    pattern = r"^filename: .*, modulename: (executed_\w+), funcname: (?:\S+\.)?(\S+)$"
    functions = {".".join(found) for found in re.findall(pattern, here, re.MULTILINE)}
    # There a function of a thread or task has a caller in the standard library.
    called = re.findall(r" -> (executed_\S+)$", there, re.MULTILINE)
    assert functions == {re.sub(r"\..*\.", ".", name) for name in called if "comp>" not in name}
    assert pairs(there) <= pairs(here)
    assert ("executed_program.deep", "executed_program.deep") in pairs(here)
    # What a function of the standard library is called by, that is left out, calls there.
    assert ("executed_program.<module>", "executed_program.main") in pairs(here) - pairs(there)


STANDARD = """
import collections, contextlib, io, sys, trace
sys.path.insert(0, sys.argv[1])
from standard_programs import PROGRAMS
from scope_profiler import ProfileManager
from scope_profiler._instrument import call_tracing, lines
from scope_profiler._instrument.executed import Executed
from scope_profiler._model.counted_lines import once

def ours(program):
    manager, found = ProfileManager(), collections.Counter()
    manager.setup(use_line_profiler=True, aggregation_mode=True, deactivate_file_output=True)
    with call_tracing.tracing(manager, only_user_code=False, executed=Executed()):
        program()
    for code, rows in once(lines.counted_lines(manager)):
        for row in rows:
            found[code.co_filename, row.line] += row.hits
    manager.finalize(verbose=False)
    return +found

def theirs(program):
    tracer = trace.Trace(count=1, trace=0)
    tracer.runfunc(program)
    return tracer.results().counts

for program in PROGRAMS:
    found = []
    with contextlib.redirect_stdout(io.StringIO()):
        program(), program()
        for of in ours, theirs:
            counts = of(program)
            # Ends of objects, and what is between the program and who measures, are not its own.
            found.append({key: count for key, count in counts.items()
                          if not key[0].endswith(("/trace.py", "/weakref.py", "/contextlib.py"))})
            program()
    for key in found[0].keys() | found[1].keys():
        here, there = (counts.get(key) for counts in found)
        if here != there and key[0] != "<string>":
            print(program.__name__, key, here, "here", there, "there")
    assert sum(found[0].values()) > 30
"""


def test_counts_in_the_standard_library(tmp_path):
    here, _ = python("-c", STANDARD, os.path.join(os.path.dirname(HERE), "calls"), folder=tmp_path)
    assert here == ""


def test_files_and_modules_are_left_out(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "deep.py").write_text("x = 1\n")
    (tmp_path / "beside.py").write_text("y = 1\n")
    program = tmp_path / "program.py"
    program.write_text("import sys\nsys.path.append('inner')\nimport beside, deep\n")

    def covered(*options):
        for path in [*tmp_path.rglob("*.cover")]:
            path.unlink()
        ours("--count", *options, "program.py", folder=tmp_path)
        return {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.cover")}

    assert covered() == {"program.cover", "beside.cover", "inner/deep.cover"}
    assert covered("--ignore-dir", f"$prefix{os.pathsep}inner") == {"program.cover", "beside.cover"}
    assert covered("--ignore-module", "other,beside", "--ignore-module=deep") == {"program.cover"}


def test_summary(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import sys\nif len(sys.argv) > 5:\n    x = 1\n    y = 2\n")
    out, _ = ours("--summary", "program.py", folder=tmp_path)
    assert out.splitlines()[0] == "lines   cov%   module   (path)"
    assert re.search(r"^    4  +50(\.0)?%   program ", out, re.MULTILINE)  # more digits from 3.14 on
    assert (tmp_path / "program.cover").read_text().splitlines()[2] == ">>>>>>     x = 1"


def test_no_results_are_made_for_counts_alone(tmp_path):
    (tmp_path / "program.py").write_text(
        "import atexit, sys\natexit.register(lambda: print('numpy' in sys.modules))\n")
    assert ours("--count", "program.py", folder=tmp_path)[0] == "False\n"
    assert (tmp_path / "program.cover").read_text().startswith("    1: import atexit")


def test_children_count_too(tmp_path):
    (tmp_path / "child.py").write_text("for i in range(7):\n    x = i\n")
    (tmp_path / "program.py").write_text(
        "import subprocess, sys\nfor _ in range(2):\n    subprocess.run([sys.executable, 'child.py'])\n")
    ours("--count", "--follow-children", "program.py", folder=tmp_path)
    assert (tmp_path / "child.cover").read_text() == "   16: for i in range(7):\n   14:     x = i\n"


def test_memory_is_not_taken_by_what_is_printed(tmp_path):
    (tmp_path / "program.py").write_text("""
import resource, sys
def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def work(n):
    for i in range(n):
        x = i
work(1000)
before = used()
work(200_000)
sys.stderr.write(str(used() - before))
""")
    _, grown = ours("--trace", "program.py", folder=tmp_path)
    assert int(grown) < 8_000  # kB


def test_a_stream_that_fails_ends_the_listing_and_not_the_program(tmp_path):
    (tmp_path / "program.py").write_text("""
import sys
class Broken:
    def write(self, text):
        raise ValueError("no more")
    def flush(self):
        pass
out, sys.stdout = sys.stdout, Broken()
try:
    x = 1
except BaseException:
    x = 2
sys.stdout = None
y = 1
sys.stdout = out
print("x is", x)
""")
    out, error = ours("--trace", "program.py", folder=tmp_path)
    assert out.endswith("x is 1\n")
    assert "lines are printed no longer: ValueError: no more" in error


def test_what_excludes_each_other():
    for words in (["--no-recursive", "--count"], ["--ignore-dir", "x"], ["--ignore-module", "x"]):
        result = CliRunner().invoke(group, ["run", *words, PROGRAM])
        assert result.exit_code == 2 and words[0] in result.output
