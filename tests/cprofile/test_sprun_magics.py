"""sprun_magics.py in a real IPython."""

import atexit
import pstats
import sys

import pytest

pytest.importorskip("IPython", reason="IPython is not installed")

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

CELL = "def leaf(count):\n    return sum(range(count))\n\ndef twice():\n    return leaf(9) + leaf(8)\n"


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


def test_a_statement(shell, capsys):
    assert shell.run_line_magic("sprun", "x = twice()") is None
    printed = capsys.readouterr().out
    assert "Ordered by: internal time" in printed and "(leaf)" in printed and "(twice)" in printed
    assert shell.user_ns["x"] == 64


def test_options_are_those_of_prun(shell, capsys, tmp_path):
    files = f"-T {tmp_path / 'x.txt'} -D {tmp_path / 'x.prof'}"
    stats = shell.run_line_magic("sprun", f"-r -q -s cumulative -s name -l 2 {files} twice()")
    printed = capsys.readouterr().out
    assert "(twice)" not in printed and "marshalled to file" in printed and "saved to text" in printed
    assert isinstance(stats, pstats.Stats)
    text = (tmp_path / "x.txt").read_text()
    assert "cumulative time, function name" in text and "restriction <2>" in text
    assert any(key[2] == "leaf" for key in pstats.Stats(str(tmp_path / "x.prof")).stats)


def test_a_cell(shell, capsys):
    shell.run_cell_magic("sprun", "-l leaf", "twice()\ntwice()")
    assert "        4 " in capsys.readouterr().out
    shell.run_line_magic("sprun", "import sys; sys.exit()")
    assert "SystemExit exception caught" in capsys.readouterr().out
    with pytest.raises(UsageError, match="pstats has no such key"):
        shell.run_line_magic("sprun", "-s nonsense twice()")
