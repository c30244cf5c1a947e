"""What LineProfiler shows is the source of what ran, wherever that is from and whatever has become of
it."""

import importlib
import io
import linecache
import sys
import zipfile

import pytest

from scope_profiler import ProfileManager
from scope_profiler._base import source_lines
from scope_profiler.line_profiler import LineProfiler, LineStats

TEXT = "def f():\n    total = 1\n    return total  # before\n"


def printed(stats):
    stream = io.StringIO()
    stats.print(stream)
    return stream.getvalue()


def profiled(function):
    profile = LineProfiler()
    wrapped = profile(function)
    wrapped()
    return profile


def rows_of(text):
    """[(hits, source), ...] of the lines of the only table."""
    table = text.partition("=\n")[2].splitlines()[:-1]
    return [(line[:16].split()[1:], line[47:].strip()) for line in table]


RAN = [([], "def f():"), (["1"], "total = 1"), (["1"], "return total  # before")]


@pytest.fixture
def module(tmp_path, monkeypatch):
    """What imports the module `changing`, whose file this is."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path / "changing.py"
    sys.modules.pop("changing", None)


def imported():
    importlib.invalidate_caches()
    return importlib.import_module("changing")


def test_a_file_that_changes_or_goes(module):
    module.write_text(TEXT)
    profile = profiled(imported().f)
    for change in (lambda: module.write_text("# new\n\n" + TEXT.replace("before", "after")), module.unlink):
        change()
        assert rows_of(printed(profile.get_stats())) == RAN


def test_a_module_that_is_loaded_again(module):
    module.write_text(TEXT)
    before = profiled(imported().f)
    module.write_text("\n\n" + TEXT.replace("before", "after"))
    linecache.checkcache()
    after = profiled(importlib.reload(sys.modules["changing"]).f)
    assert rows_of(printed(before.get_stats())) == RAN
    assert rows_of(printed(after.get_stats()))[-1] == (["1"], "return total  # after")


def test_a_function_of_a_run_is_shown_as_it_was_when_it_ran(module):
    module.write_text(TEXT)
    manager = ProfileManager()
    manager.setup(use_line_profiler=True, deactivate_file_output=True)
    code = imported().f.__code__
    manager.profile("f")(sys.modules["changing"].f)()
    manager.finalize()
    module.write_text("# new\n\n" + TEXT.replace("before", "after"))
    linecache.checkcache()
    text = source_lines.block(code.co_filename, code.co_firstlineno, code.co_qualname)
    assert "".join(text or ()) == TEXT


def test_a_file_that_runs_again_after_a_change_is_shown_as_it_is_then(module):
    for change in "before", "after":
        module.write_text(TEXT.replace("1\n", f"'{change}'\n"))
        linecache.checkcache()
        namespace = {}
        exec(compile(module.read_text(), module, "exec"), namespace)
        source_lines.keep(code := namespace["f"].__code__, {})
        text = source_lines.block(code.co_filename, code.co_firstlineno, code.co_qualname)
        assert change in "".join(text)


def test_results_have_it_elsewhere(module, tmp_path):
    module.write_text(TEXT)
    stats = profiled(imported().f).get_stats()
    stats.to_file("x.lprof")
    stats.to_json("x.json")
    module.unlink()
    linecache.clearcache()
    source_lines._kept.clear()
    assert "Could not find file" in printed(LineStats(stats.timings, stats.unit))
    for path in ("x.lprof", "x.json"):
        assert rows_of(printed(LineStats.from_files(path))) == RAN
    assert "return total  # before" in LineStats.from_files("x.json")._repr_html_()


def test_an_archive(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("changing.py", TEXT)
    monkeypatch.syspath_prepend(str(tmp_path / "packed.zip"))
    try:
        profile = profiled(imported().f)
    finally:
        sys.modules.pop("changing", None)
    assert rows_of(printed(profile.get_stats())) == RAN


def executed(file):
    namespace = {"__name__": "made"}
    exec(compile(TEXT, file, "exec"), namespace)
    return namespace["f"]


def test_a_cell():
    file = "<ipython-input-7-e2e>"
    linecache.cache[file] = (len(TEXT), None, TEXT.splitlines(True), file)
    profile = profiled(executed(file))
    del linecache.cache[file]
    assert rows_of(printed(profile.get_stats())) == RAN


def test_code_without_a_file():
    text = printed(profiled(executed("<string>")).get_stats())
    assert "Could not find file <string>" in text
    assert [hits for hits, _ in rows_of(text)] == [[], ["1"], ["1"]]
