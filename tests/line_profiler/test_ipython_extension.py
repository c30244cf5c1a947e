"""ipython_extension.py, in a real IPython and in a real notebook.

    python -m venv e && e/bin/pip install -e . ipython ipykernel nbclient pytest hypothesis rich
    e/bin/python -m pytest tests/line_profiler/test_ipython_extension.py
"""

import atexit
import builtins
import os
import sys

import pytest

from scope_profiler.line_profiler import LineProfiler, load_stats

pytest.importorskip("IPython", reason="IPython is not installed")

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from scope_profiler.line_profiler.magic_words import MagicWords

CELL = """
def work(n):
    total = 0
    for i in range(n):
        total += i
    return total
"""


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # IPython puts its own there
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_line_magic("load_ext", "scope_profiler")
    shell.run_cell(CELL)
    yield shell
    shell.atexit_operations()
    atexit.unregister(shell.atexit_operations)


def hits(profiler):
    return {name: {line: count for line, count, _ in rows}
            for (_, _, name), rows in profiler.get_stats().timings.items()}


@pytest.mark.parametrize("line, switches, values, statement", [
    ("-f work work(3)", "", {"f": ["work"]}, "work(3)"),
    ("-rz -f a -f b.c x  =  'a  -f b'", "rz", {"f": ["a", "b.c"]}, "x  =  'a  -f b'"),
    ("-fa -Dx.lprof -T 'a b.txt' f(\"x\")", "", {"f": ["a"], "D": ["x.lprof"], "T": ["a b.txt"]}, 'f("x")'),
    ("-rf a f()", "r", {"f": ["a"]}, "f()"),
    ("-r -- -x", "r", {}, "-x"),
    ("-r", "r", {}, ""),
    ("", "", {}, ""),
    ("f(-1)", "", {}, "f(-1)"),
    ("-f a['k'] f()", "", {"f": ["a['k']"]}, "f()"),
    ("- 1", "", {}, "- 1"),
])
def test_the_words_of_a_line(line, switches, values, statement):
    words = MagicWords(line, "rszf:m:D:T:u:")
    assert [letter for letter in "rsz" if words.has(letter)] == list(switches)
    assert {letter: words.all(letter) for letter in "fmDTu" if words.all(letter)} == values
    assert words.statement == statement and words.last("f") == values.get("f", [None])[-1]


@pytest.mark.parametrize("line", ["-x f()", "-f", "-rx"])
def test_words_that_are_wrong(line):
    with pytest.raises(UsageError, match="option -"):
        MagicWords(line, "rf:")


@pytest.mark.parametrize("name", ["scope_profiler", "scope_profiler.line_profiler"])
def test_it_is_loaded_by_either_name(shell, name):
    shell.magics_manager.magics["line"].pop("lprun")
    shell.run_line_magic("reload_ext" if name == "scope_profiler" else "load_ext", name)
    assert isinstance(shell.run_line_magic("lprun", "-r -f work work(2)"), LineProfiler)


def test_a_statement(shell, capsys):
    profiler = shell.run_line_magic("lprun", "-r -f work result = work(3)")
    assert hits(profiler) == {"work": {2: 1, 3: 4, 4: 3, 5: 1}} and shell.user_ns["result"] == 3
    printed = capsys.readouterr().out
    assert "Function: work at line 1" in printed and "total += i" in printed
    assert not hasattr(builtins, "profile")


def test_a_cell(shell):
    profiler = shell.run_cell_magic("lprun", "-r -f work", "a = work(1)\nb = work(2)\n%time work(1)\n")
    assert hits(profiler)["work"][2] == 3 and shell.user_ns["b"] == 1


def test_text_in_a_statement_is_left_as_it_is(shell):
    shell.run_line_magic("lprun", "text = 'a  \"b\"'")
    assert shell.user_ns["text"] == 'a  "b"'


def test_modules_and_what_did_not_run(shell, capsys):
    profiler = shell.run_line_magic("lprun", "-r -m calendar -f work work(1)")
    assert {"work", "isleap"} <= hits(profiler).keys()
    assert "calendar.py" in capsys.readouterr().out
    for switch in ("-s", "-z"):
        shell.run_line_magic("lprun", f"{switch} -m calendar -f work work(1)")
        printed = capsys.readouterr().out
        assert "calendar.py" not in printed and "Function: work" in printed


def test_files(shell, capsys):
    assert shell.run_line_magic("lprun", "-D x.lprof -T x.txt -u 1e-3 -f work work(3)") is None
    printed = capsys.readouterr().out
    assert "*** Profile stats pickled to file 'x.lprof'." in printed
    assert "*** Profile printout saved to text file 'x.txt'." in printed
    [rows] = load_stats("x.lprof").timings.values()
    assert rows[0][:2] == (2, 1)
    with open("x.txt") as file:
        text = file.read()
    assert text.startswith("Timer unit: 0.001 s") and text in printed


@pytest.mark.parametrize("line, error, message", [
    ("-f missing work(1)", UsageError, "Could not find function missing.\nNameError: "),
    ("-m missing work(1)", UsageError, "Could not find module missing.\nModuleNotFoundError: "),
    ("-u often work(1)", TypeError, "-u takes a number of seconds, got 'often'"),
    ("-f work 1 / 0", ZeroDivisionError, "division by zero"),
])
def test_what_goes_wrong(shell, line, error, message):
    with pytest.raises(error) as caught:
        shell.run_line_magic("lprun", line)
    assert str(caught.value).startswith(message) and not hasattr(builtins, "profile")


def test_a_program_that_exits(shell, capsys):
    shell.run_cell("def leave():\n    raise SystemExit(3)")
    shell.run_line_magic("lprun", "-f leave leave()")
    printed = capsys.readouterr().out
    assert "Function: leave" in printed
    assert "*** SystemExit exception caught in code being profiled." in printed


def test_profile_is_a_builtin_meanwhile(shell, monkeypatch):
    monkeypatch.setattr(builtins, "profile", "mine", raising=False)
    profiler = shell.run_cell_magic("lprun", "-r", "@profile\ndef f():\n    return 1\nf()")
    assert hits(profiler) == {"f": {3: 1}} and builtins.profile == "mine"


WHOLE = """
    class Test:
        def test(self):
            for x in range(3):
                y = x

    def never():
        pass
    z = Test().test()
"""


@pytest.mark.parametrize("options, functions", [
    ("-r", ["<module>", "Test.test", "never"]), ("-r -p", ["<module>"]),
])
def test_a_whole_cell(shell, capsys, options, functions):
    profiler = shell.run_cell_magic("lprun_all", options, WHOLE)
    found = hits(profiler)
    assert list(found) == functions and found["<module>"] == {1: 1, 6: 1, 8: 1}
    assert "z" in shell.user_ns and "    z = Test" not in (printed := capsys.readouterr().out)
    assert "z = Test().test()" in printed and ("y = x" in printed)


def test_the_seconds_of_a_cell(shell):
    assert shell.run_cell_magic("lprun_all", "-t", WHOLE) is None
    assert shell.user_ns["_total_time_taken"] > 0


@pytest.mark.parametrize("cell, error", [("1 / 0", ZeroDivisionError), ("def f(:", SyntaxError)])
def test_a_cell_that_fails(shell, cell, error):
    with pytest.raises(error):
        shell.run_cell_magic("lprun_all", "", cell)


def test_an_empty_cell(shell):
    assert shell.run_cell_magic("lprun_all", "", "\n") is None


# ---- In a notebook


def outputs(*cells):
    """The outputs of the cells of a notebook that a kernel has run: [[output, ...], ...]."""
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": os.getcwd()}}).execute()
    return [cell.outputs for cell in notebook.cells]


def test_a_notebook():
    loaded, defined, one, whole = outputs(
        "%load_ext scope_profiler", CELL, "%lprun -f work work(1000)", "%%lprun_all -z\n" + WHOLE)
    assert loaded == defined == []
    for output, text in ((one, "total += i"), (whole, "z = Test().test()")):
        [data] = [each["data"] for each in output]
        assert text in data["text/plain"] and text.split()[0] in data["text/html"]
        assert "<table" in data["text/html"]
