"""source.py, and where regions say they stand."""

import linecache
import os
import sys

import pytest

from scope_profiler._instrument.source import LONGEST, shown_path, text_at


def test_text_of_statements(tmp_path):
    path = tmp_path / "m.py"
    path.write_text(
        "import os\n"
        "@decorator\n"
        "@other(\n"
        "    1)\n"
        "def f():\n"
        "    with x:\n"
        "        a = 1\n"
        "\n"
        "        b = 2\n"
        "    return a\n"
    )
    path = str(path)
    assert text_at(path, 1) == "import os\n"
    assert text_at(path, 2).startswith("@decorator\n@other(\n") and text_at(path, 2).endswith("return a\n")
    assert text_at(path, 6) == "    with x:\n        a = 1\n\n        b = 2\n"
    assert text_at(path, 8) is None and text_at(path, 99) is None
    assert text_at(str(tmp_path / "missing.py"), 1) is None


def test_text_of_files_that_are_no_python_or_too_long(tmp_path):
    for name, text in [("broken.py", "def f(:\n"), ("long.py", f"x = '{'a' * LONGEST}'\n")]:
        path = tmp_path / name
        path.write_text(text)
        assert text_at(str(path), 1) is None


def test_shown_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "a" / "b.py") == os.path.join("a", "b.py")
    monkeypatch.chdir(tmp_path.parent.parent)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "deep"), str(tmp_path)])
    monkeypatch.chdir(os.path.dirname(sys.executable))
    assert shown_path(tmp_path / "deep" / "m.py") == "m.py"
    assert shown_path("/nowhere/x.py") == "x.py"


def test_blocks_and_functions_say_where_they_stand(manager):
    line = sys._getframe().f_lineno

    @manager.profile("f")
    def f():
        return 1

    with manager.profile_region("block"):
        f()
    for region, first in ((manager.get_region("f"), line + 2), (manager.get_region("block"), line + 6)):
        assert (region.has_source, region.source_file, region.source_lineno) == (
            True, __file__, first)
    assert manager.get_region("f").source_text.startswith('    @manager.profile("f")\n    def f')
    assert manager.get_region("block").source_text == linecache.getline(__file__, line + 6) + "        f()\n"
    results = manager.finalize(verbose=False, return_results=True)
    assert results["block"].source_lineno == line + 6
    assert os.path.basename(results["block"].source_file) == os.path.basename(__file__)
    assert results["block"].source_text is None


def test_text_is_captured_when_asked_for(manager):
    manager.setup(deactivate_file_output=True, replace=True, capture_region_source=True)
    with manager.profile_region("block"):
        pass
    text = manager.finalize(verbose=False, return_results=True)["block"].source_text
    assert text == '    with manager.profile_region("block"):\n        pass\n'


def test_set_source(manager):
    region = manager.profile_region("r")
    region.set_source("solver.f90", 12)
    assert (region.source_file, region.source_lineno, region.source_text) == ("solver.f90", 12, None)
    region.set_source(None, None)
    assert not region.has_source
    region.set_source("m.py", 3, "call solver()")
    assert region.source_text == "call solver()"
    for arguments, message in [((3, 1), "filename takes str or None, got 3"),
                               (("f", "1"), "lineno takes int or None, got '1'"),
                               (("f", 1, 2), "text takes str or None, got 2")]:
        with pytest.raises(TypeError, match=message):
            region.set_source(*arguments)
