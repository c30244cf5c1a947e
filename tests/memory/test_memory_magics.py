"""memory_magics.py, in a real IPython and a real notebook; test_ipython_extension.py says how to run it."""

import atexit
import os
import re
import re
import sys

import pytest

pytest.importorskip("IPython", reason="IPython is not installed")

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from scope_profiler.memory import MemoryProfiler
from scope_profiler.memory.memory_magics import MemitResult

CELL = """\
def take(mib):
    kept = b"x" * (mib << 20)
    return len(kept)
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


def test_a_statement(shell, capsys):
    assert shell.run_line_magic("mprun", "-f take size = take(64)") is None
    printed = capsys.readouterr().out
    assert "Line #    Mem usage    Increment  Occurrences   Line Contents" in printed
    [increment] = re.findall(r"MiB +(\S+) MiB +1 +kept = b", printed)
    assert 60 < float(increment) < 70 and shell.user_ns["size"] == 64 << 20


def test_what_is_given_back_and_written(shell, capsys):
    profiler = shell.run_cell_magic("mprun", "-r -T x.txt -f take", "a = take(1)\nb = take(2)\n")
    assert isinstance(profiler, MemoryProfiler) and shell.user_ns["b"] == 2 << 20
    with open("x.txt") as file:
        text = file.read()
    assert "kept = b" in text and text.strip() in capsys.readouterr().out


def test_a_peak(shell, capsys):
    assert shell.run_line_magic("memit", "take(64)") is None
    [peak, increment] = map(float, re.findall(r"(\S+) MiB", capsys.readouterr().out))
    assert 60 < increment < 80 < peak


def test_a_cell_with_setup(shell, capsys):
    result = shell.run_cell_magic("memit", "-o -r 2 -i 0.01 n = 32", "size = take(n)\n")
    assert isinstance(result, MemitResult) and (result.repeat, result.interval) == (2, 0.01)
    assert len(result.mem_usage) == 2 and shell.user_ns["size"] == 32 << 20
    assert capsys.readouterr().out == f"{result}\n"


@pytest.mark.parametrize("magic, line, error", [
    ("mprun", "-f missing take(1)", UsageError), ("memit", "-r often take(1)", UsageError),
    ("memit", "1 / 0", ZeroDivisionError), ("mprun", "-f take 1 / 0", ZeroDivisionError),
])
def test_what_goes_wrong(shell, magic, line, error):
    with pytest.raises(error):
        shell.run_line_magic(magic, line)


def test_a_notebook():
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    import nbformat

    cells = ["%load_ext scope_profiler.memory", CELL, "%mprun -f take take(64)", "%memit take(64)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": os.getcwd()}}).execute()
    loaded, defined, [table], [peak] = [cell.outputs for cell in notebook.cells]
    assert loaded == defined == [] and "kept = b" in table["data"]["text/plain"]
    html = table["data"]["text/html"]
    headings = re.findall("<th[^>]*>([^<]*)</th>", html)
    assert headings[:4] == ["Line", "Hits", "Memory", "Increment"] and headings[-1] == "Source"
    assert "Net" not in headings and "% time" not in headings  # the source would be out of sight
    assert "sp-heat" in html.split("</style>")[1] and peak["text"].startswith("peak memory: ")
