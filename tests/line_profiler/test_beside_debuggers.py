"""LineProfiler beside coverage and the debugger: each sees what it sees alone."""

import io
import pdb
import sys

import pytest

from scope_profiler.line_profiler import LineProfiler

TARGET = """
def work(n):
    t = 0
    for i in range(n):
        t += i
    if n < 0:
        t = -1
    return t

def other():
    x = work(3)
    return x
"""


@pytest.fixture
def target(tmp_path, monkeypatch):
    (tmp_path / "lines_target.py").write_text(TARGET)
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda: __import__("lines_target")
    sys.modules.pop("lines_target", None)


def hits(profiler):
    [lines] = profiler.get_stats().timings.values()
    return [hits for _, hits, _ in lines]


@pytest.mark.parametrize("core", ["ctrace", "pytrace", "sysmon"])
def test_coverage(core, target, monkeypatch):
    coverage = pytest.importorskip("coverage")
    if core == "sysmon" and sys.version_info < (3, 12):
        pytest.skip("sys.monitoring is new in 3.12")
    monkeypatch.setenv("COVERAGE_CORE", core)
    measured = coverage.Coverage(data_file=None, config_file=False)
    measured.start()
    try:
        module = target()
        registered, decorating = LineProfiler(module.work), LineProfiler()
        with registered:
            module.work(10)
        decorating(module.other)()
    finally:
        measured.stop()
    assert measured.analysis2(module)[3] == [7]     # t = -1
    assert hits(registered) == [1, 11, 10, 1, 1] and hits(decorating) == [1, 1]


def test_the_debugger(target):
    module, out = target(), io.StringIO()
    commands = io.StringIO("b lines_target.work\nc\nn\nn\nn\np 'i is', i\nc\n")
    debugger = pdb.Pdb(stdin=commands, stdout=out, nosigint=True)
    debugger.use_rawinput = False
    profiler = LineProfiler(module.work)
    with profiler:
        debugger.runcall(module.other)
    assert "('i is', 0)" in out.getvalue() and hits(profiler) == [1, 4, 3, 1, 1]
