"""`scope-profiler kernprof`, as a shell sees it. Every test runs it in a process of its own."""

import os
import pstats
import signal
import re
import subprocess
import sys

import pytest

from scope_profiler.cli import main_of_kernprof
from scope_profiler.line_profiler import load_stats
from test_cli import PROGRAMS

PROGRAM = """\
import sys

class Grid:
    @property
    def size(self):
        return 3

def outer(n):
    def inner(x):
        return x + 1
    return [inner(i) for i in range(n)]

def twice(n):
    key = lambda x: -x
    return sorted(range(n), key=key)

def main():
    outer(Grid().size)
    return twice(4)

main()
"""

DECORATED = PROGRAM.replace("def outer", "@profile\ndef outer")


def kernprof(*arguments, python=(), **settings):
    return subprocess.run([sys.executable, *python, "-m", "scope_profiler", "kernprof", *arguments],
                          capture_output=True, text=True, encoding="utf-8", **settings)


def write(source, name="script.py"):
    if os.path.dirname(name):
        os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "w", encoding="utf-8") as file:
        file.write(source)
    return name


def hits(path="script.py.lprof"):
    """{function: {line: hits}} of a file."""
    return {name: {line: count for line, count, _ in rows}
            for (_, _, name), rows in load_stats(path).timings.items()}


def functions(path="script.py.lprof"):
    return {name for name, rows in hits(path).items() if rows}


# ---- What is profiled


def test_what_is_decorated():
    done = kernprof("-l", write(DECORATED))
    assert (done.returncode, done.stderr) == (0, "")
    assert hits() == {"outer": {10: 1, 12: 1}} or hits()["outer"][10] == 1
    assert done.stdout == ("Wrote profile results to 'script.py.lprof'\nInspect results with:\n"
                           f"{python()} -m scope_profiler.line_profiler -rmt script.py.lprof\n")


def python():
    from scope_profiler.line_profiler.cli_utils import get_python_executable

    return get_python_executable()


def test_what_is_decorated_by_import():
    kernprof("-l", write("from scope_profiler.line_profiler import profile\n" + DECORATED))
    assert functions() == {"outer"}


LINE_PROFILER = """
class Decorator:
    _profile = enabled = None

    def _kernprof_overwrite(self, profile):
        self._profile = profile

    def __call__(self, function):
        return self._profile(function) if self._profile else function

profile = Decorator()
"""


@pytest.mark.parametrize("module", [LINE_PROFILER, "1 / 0", "profile = 1"])
def test_what_is_decorated_by_line_profiler(module):
    """As long as it is there, and is that."""
    write(module, "line_profiler.py")
    done = kernprof("-l", write("try:\n    from line_profiler import profile as decorator\n"
                                "    @decorator\n    def f():\n        return 1\n    f()\n"
                                "except Exception as error:\n    print(type(error).__name__)\n"))
    assert (done.returncode, done.stderr) == (0, "")
    assert hits() == ({"f": {5: 1}} if module is LINE_PROFILER else {})


def test_the_printed_commands_work():
    done = kernprof("-l", write(DECORATED))
    command = done.stdout.splitlines()[-1].replace(python(), sys.executable, 1).split()
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    shown = re.sub(r"\x1b(\]8;.*?\x1b\\|\[[0-9;]*m)", "", shown)  # where there is rich
    assert "Function: outer at line 8" in shown and "def inner(x):" in shown


@pytest.mark.parametrize("options, expected", [
    ([], {"Grid.size", "outer", "outer.<locals>.inner", "twice", "main"}),
    (["--inner-functions"],
     {"Grid.size", "outer", "outer.<locals>.inner", "twice", "main", "twice.<locals>.<lambda>"}),
    (["--top-level"], {"Grid.size", "outer", "outer.<locals>.inner", "twice", "main", "<module>"}),
])
def test_the_program_itself(options, expected):
    kernprof("-lp", "script.py", *options, write(PROGRAM))
    assert functions() - {"outer.<locals>.<listcomp>"} == expected
    assert hits()["outer.<locals>.inner"] == {10: 3}


def test_the_program_itself_counts_in_all_threads():
    write("import threading\ndef work():\n    return 1\n"
          "threads = [threading.Thread(target=work) for _ in range(3)]\n"
          "for thread in threads: thread.start()\nfor thread in threads: thread.join()\n"
          "late = threading.Timer(0.01, work)\nlate.start()")
    kernprof("-lp", "script.py", "script.py")
    assert hits() == {"work": {3: 4}}


@pytest.fixture
def package():
    write("from .tools import helper\ndef own(): return helper()\n", "package/__init__.py")
    write("from functools import wraps\n"
          "def hiding(f):\n    return lambda: f()\n"
          "def helper(): return [1]\n"
          "@hiding\ndef hidden():\n    return 2\n"
          "class Solver:\n    def step(self):\n        return 3\n", "package/tools.py")
    write("def unused():\n    pass\n", "package/sub/other.py")
    write("", "package/sub/__init__.py")
    write("raise RuntimeError('not to be imported')", "package/sub/broken.py")
    write("import json\nif True:\n    from package.tools import Solver, hidden\n"
          "import package\ndef main():\n    return Solver().step(), hidden(), package.own(), json.dumps(1)\n"
          "main()\n")


TOOLS = {"Solver.step", "hidden", "helper", "hiding", "hiding.<locals>.<lambda>"}


@pytest.mark.parametrize("options, expected", [
    (["-p", "package"], TOOLS | {"own"}),
    (["-p", "package/"], TOOLS | {"own"}),
    (["-p", "package.tools"], TOOLS),
    (["-p", "package.tools.Solver"], {"Solver.step"}),
    (["-p", "package.tools.Solver.step,package.own"], {"Solver.step", "own"}),
    (["-p", "package.__init__"], {"own", "helper"}),
    (["-p", "package/__init__.py"], {"own", "helper"}),
    (["-p", "package/tools.py"], TOOLS),
    (["-p", "package.t*"], TOOLS - {"hiding.<locals>.<lambda>"}),
    (["-p", "pack*/*.py"], TOOLS - {"hiding.<locals>.<lambda>"} | {"own"}),
    (["-p", "*.step"], {"Solver.step"}),
    (["-p", "package.tools", "--no-preimports"], {"Solver.step", "hiding.<locals>.<lambda>"}),
    (["-p", "package/tools.py", "--no-preimports"], {"Solver.step", "hiding.<locals>.<lambda>"}),
    (["-p", "package", "--no-preimports"], {"Solver.step", "own", "helper", "hiding.<locals>.<lambda>"}),
    (["-p", "package.tools", "-p", "", "-p", "package.own"], {"own"}),
    (["-p", "package.tools.hiding", "--inner-functions"], {"hiding", "hiding.<locals>.<lambda>"}),
    (["-p", "script.py", "--prof-imports"], {"main", "Solver.step", "own", "dumps"}),
    (["-p", "package.tools", "--top-level"], TOOLS | {"<module>"}),
    (["--prof-imports"], set()),
])
def test_modules_and_what_is_in_them(package, options, expected):
    done = kernprof("-l", *options, "script.py")
    assert (done.returncode, done.stderr) == (0, "")
    found = functions()
    if "--prof-imports" in options and expected:
        assert expected <= found and "Solver.step" in found
    else:
        assert found == expected


def test_a_package_is_imported_whole(package):
    kernprof("-lp", "package", "script.py")
    assert "unused" in hits()


@pytest.mark.parametrize("target", ["missing", "missing.module", "package.tools.missing", "./missing.py"])
def test_what_cannot_be_imported_is_said(package, target):
    done = kernprof("-lp", target, "script.py")
    assert done.returncode == 0
    assert done.stderr.endswith(f"1 profiling target of -p cannot be imported: [{target!r}]\n")


@pytest.mark.parametrize("globs, idle", [
    (["package.none*"], ["package.none*"]),
    (["nowhere/*.py", "package.*", "*.none"], ["nowhere/*.py", "*.none"]),
    (["package.*"], []),
    (["*.py"], []),
])
def test_globs_that_meet_nothing_are_said(package, globs, idle):
    done = kernprof("-l", *(word for glob in globs for word in ("-p", glob)), "script.py")
    count = "1 glob" if len(idle) == 1 else f"{len(idle)} globs"
    said = f"scope-profiler kernprof: {count} of -p met no function of what the program imports: {idle}\n"
    assert done.returncode == 0 and done.stderr == (said if idle else "")


def test_an_error_of_a_module_that_is_imported_first_is_shown():
    write("1 / 0", "bad.py")
    done = kernprof("-lp", "bad", write("print('not reached')"))
    assert done.returncode == 1 and done.stdout == "" and not os.path.exists("script.py.lprof")
    assert done.stderr.startswith("Traceback (most recent call last):\n  File ")
    assert "bad.py\", line 1" in done.stderr and "scope_profiler" not in done.stderr


def test_the_setup_script_is_not_profiled():
    write("import builtins\nbuiltins.shared = lambda: 7\nprint(__name__)", "setup.py")
    done = kernprof("-l", "-s", "setup.py", write(DECORATED + "print(shared())"))
    assert done.stdout.startswith("__main__\n7\nWrote") and functions() == {"outer"}


# ---- Without -l


def rows(path="script.py.prof"):
    return {name: (row[1], sorted(caller[2] for caller in row[4]))
            for (_, _, name), row in pstats.Stats(path).stats.items()}


def test_every_function():
    done = kernprof(write(PROGRAM))
    assert done.stdout == ("Wrote profile results to 'script.py.prof'\n"
                           f"Inspect results with:\n{python()} -m pstats script.py.prof\n")
    found = rows()
    assert found["outer"] == (1, ["main"]) and found["main"] == (1, ["<module>"])
    assert found["inner"][0] == 3 and found["<lambda>"] == (4, ["twice"])
    (file, line, _), _ = next(item for item in pstats.Stats("script.py.prof").stats.items()
                              if item[0][2] == "outer")
    assert (file, line) == (os.path.abspath("script.py"), 8)


def test_functions_that_are_decorated():
    kernprof("-b", write(DECORATED))
    assert rows()["outer"][0] == 1 and "main" not in rows() and rows()["inner"] == (3, ["outer"])


def test_functions_while_it_is_on():
    kernprof("-b", write(PROGRAM.replace("\nmain()\n", """
outer(1)
with profile:
    twice(1)
profile.enable()
Grid().size
profile.disable()
outer(1)
""")))
    assert {"twice", "size"} <= rows().keys() and "outer" not in rows()


def test_functions_are_printed():
    done = kernprof("-v", write(PROGRAM))
    assert "   Ordered by: standard name" in done.stdout and "script.py:8(outer)" in done.stdout
    assert "tmp" not in done.stdout.replace(os.getcwd(), "")


# ---- How it ends

ENDS = {
    "its last line": ("", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "an exception": ("1 / 0", 1),
    "Ctrl-C": ("import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", -signal.SIGINT),
    "SIGTERM": ("import os, signal, time; os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)",
                -signal.SIGTERM),
    "in a thread": ("import threading; threading.Timer(0.01, lambda: main()).start()", 0),
}


@pytest.mark.parametrize("options", [["-l"], ["-b"]], ids=["lines", "functions"])
@pytest.mark.parametrize("end", ENDS)
def test_the_results_are_written(end, options):
    program, status = ENDS[end]
    done = kernprof(*options, write(DECORATED + program + "\n"))
    assert done.returncode == status
    assert done.stdout.startswith("Wrote profile results to ")
    found = hits()["outer"] if options == ["-l"] else {10: rows()["outer"][0]}
    assert found.get(10, found.get(9)) == (2 if end == "in a thread" else 1)


@pytest.mark.parametrize("name", sorted({*PROGRAMS} - {"globals", "hard exit", "killed"}))
def test_as_under_python(name):
    path = write(PROGRAMS[name])
    ours = kernprof("-q", "-l", path, stdin=subprocess.DEVNULL)
    plain = subprocess.run([sys.executable, path], capture_output=True, text=True,
                           encoding="utf-8", stdin=subprocess.DEVNULL)
    if name in ("thread fails", "exit handler fails"):  # has an address
        assert "ZeroDivisionError" in ours.stderr and "scope_profiler" not in ours.stderr
    else:
        assert ours.stderr == plain.stderr
    assert (ours.returncode, ours.stdout) == (plain.returncode, plain.stdout)


def test_children_leave_the_file_to_their_parent():
    done = kernprof("-l", write(DECORATED + "import os\nif os.fork() == 0:\n    sys.exit(outer(1) and 0)\n"
                                "os.wait()\n"))
    assert done.stdout.count("Wrote") == 1 and hits()["outer"].get(10) == 1


def test_what_was_is_put_back(monkeypatch, capsys):
    monkeypatch.setattr("builtins.profile", "mine", raising=False)
    before = sys.argv[:], sys.path[:], sys.modules["__main__"]
    with pytest.raises(ZeroDivisionError):
        main_of_kernprof(["-l", write(DECORATED + "sys.path.append('x')\n1 / 0"), "argument"])
    assert (sys.argv, sys.path, sys.modules["__main__"]) == before
    import builtins

    assert builtins.profile == "mine" and functions() == {"outer"}
    assert capsys.readouterr().out.startswith("Wrote profile results to ")
    assert main_of_kernprof(["-q", "-l", write(DECORATED)]) is None


# ---- Which program


def test_a_module():
    write("", "package/__init__.py")
    write("import sys\n@profile\ndef f():\n    return sys.argv[1:]\nprint(f(), __name__)",
          "package/module.py")
    done = kernprof("-lm", "package.module", "-l", "x")
    assert done.stdout.startswith("['-l', 'x'] __main__\n") and functions("package.module.lprof") == {"f"}
    done = kernprof("-l", "-p", "package.module", "-m", "package.module")
    assert functions("package.module.lprof") == {"f"}


def test_a_package():
    write("", "package/__init__.py")
    write("from . import other\ndef main():\n    return other.f()\nmain()", "package/__main__.py")
    write("def f():\n    return 1\n", "package/other.py")
    for target in ("package", "package/__main__.py,package.other"):
        kernprof("-lp", target, "-m", "package")
        assert hits("package.lprof") == {"main": {3: 1}, "f": {2: 1}}


@pytest.mark.parametrize("stdin", [False, True])
def test_text(stdin):
    text = "\n    import sys\n    def f():\n        return 7\n    print(f(), sys.argv)\n"
    given = ["-", "a"] if stdin else ["-c", text, "a"]
    done = kernprof("-lv", *given, input=text)
    argv0 = "-" if stdin else "-c"
    assert done.stdout.startswith(f"7 [{argv0!r}, 'a']\nWrote profile results to 'kernprof-")
    assert "return 7" in done.stdout and "Function: f at line 3" in done.stdout
    [file] = os.listdir()
    assert file.startswith(f"kernprof-{'stdin' if stdin else 'command'}-") and file.endswith(".lprof")
    assert hits(file) == {}  # its source would not be found


def test_an_error_in_a_text_is_shown():
    done = kernprof("-c", "x = 1\n1 / 0")
    assert done.returncode == 1 and "line 2, in <module>\n" in done.stderr
    # Before 3.13, python -c has no source there either.
    assert ("    1 / 0\n" in done.stderr) == (sys.version_info >= (3, 13))


def test_a_script_on_the_path(tmp_path):
    write(DECORATED, "bin/tool")
    done = kernprof("-l", "tool", env={**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}"
                                       f"{os.environ['PATH']}"})
    assert done.returncode == 0 and functions("tool.lprof") == {"outer"}


@pytest.mark.parametrize("arguments, status, message", [
    ([], 2, "Missing argument 'SCRIPT'"),
    (["missing.py"], 1, "can't open file 'missing.py': there is none"),
    (["-m", "missing"], 1, "no module named 'missing'"),
    (["-s", "missing.py", "script.py"], 1, "can't open file 'missing.py': there is none"),
    (["-o", "nowhere/x.lprof", "script.py"], 2, "cannot write to "),
    (["--config", "missing.toml", "script.py"], 2, "missing.toml"),
    (["--nonsense", "script.py"], 2, "No such option"),
])
def test_what_cannot_be_is_said_before_the_program_runs(arguments, status, message):
    write("print('it ran')")
    done = kernprof(*arguments)
    assert done.returncode == status and message in done.stderr and done.stdout == ""
    assert os.listdir() == ["script.py"]


def test_help_and_version():
    import scope_profiler

    assert kernprof("-V").stdout == f"{scope_profiler.__version__}\n"
    done = kernprof("-h")
    assert "--prof-mod TARGET" in done.stdout and "-i, --output-interval" in done.stdout


# ---- What is written and printed


def test_where_it_is_written():
    done = kernprof("-l", "-o", "x.lprof", write("import os; os.mkdir('d'); os.chdir('d')\n" + DECORATED))
    assert functions("x.lprof") == {"outer"} and "x.lprof'" in done.stdout


def test_how_it_is_printed():
    write(PROGRAM + "def never(): 1\n")
    done = kernprof("-lvz", "-u", "1e-3", "--summarize", "-p", "script.py", "script.py")
    assert "Timer unit: 0.001 s" in done.stdout and "seconds - " in done.stdout
    assert "never" not in done.stdout and "Inspect" not in done.stdout
    assert "never" in kernprof("-lvp", "script.py", "script.py").stdout


@pytest.mark.parametrize("options, out, err", [
    ("", True, True), ("-q", True, True), ("-qq", False, True), ("-qq --quiet -v", False, True),
    ("-qqq", False, False),
])
def test_how_quiet_it_is(options, out, err):
    write("import sys\nprint('out')\nprint('err', file=sys.stderr)")
    done = kernprof("-l", *options.split(), "script.py")
    assert ("out\n" in done.stdout, "err\n" in done.stderr) == (out, err)
    assert ("Wrote" in done.stdout) == (not options) and os.path.exists("script.py.lprof")


def test_how_talkative():
    lines = kernprof("-lvv", write(DECORATED)).stdout
    assert "\n[kernprof " in f"\n{lines}" and "] Wrote profile results to 'script.py.lprof'" in lines


def test_the_configuration():
    write('[tool.line_profiler.kernprof]\nline-by-line = true\nverbose = 1\nprof-mod = ["script.py"]\n'
          'outfile = "other.lprof"\n', "line_profiler.toml")
    done = kernprof(write(PROGRAM))
    assert "Function: main" in done.stdout and functions("other.lprof") >= {"main"}
    done = kernprof("-qq", "--no-line-by-line", "-o", "x.prof", "script.py")
    assert done.stdout == "" and "main" in rows("x.prof")
    assert kernprof("--no-config", "script.py").stdout.startswith("Wrote profile results to 'script.py.prof'")


def test_it_is_written_while_it_runs():
    """The program waits until its file is there, and whole."""
    write(DECORATED + """
import os, pickle, time
from scope_profiler.line_profiler import load_stats
while not os.path.exists("script.py.lprof"):
    time.sleep(0.01)
assert len(load_stats("script.py.lprof").timings) == 1
outer(2)
""")
    done = kernprof("-l", "-i", "1", "script.py", timeout=60)
    assert (done.returncode, done.stderr) == (0, "") and hits()["outer"][10] == 2
    assert sorted(os.listdir()) == ["script.py", "script.py.lprof"]
