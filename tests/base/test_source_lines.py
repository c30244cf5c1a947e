"""_base/source_lines.py: the text of functions, as it was when they were registered, or as it is."""

import linecache
import sys
import zipfile

import pytest

from scope_profiler._base import source_lines
from scope_profiler._base.source_lines import block, block_in, keep

BEFORE = "def f():\n    return 'before'\n"


def code_of(file, text=BEFORE, name="f"):
    """The code of the function of that name in a text that is said to be in the file."""
    namespace = {}
    exec(compile(text, file, "exec"), namespace)
    return namespace[name].__code__


def found(code):
    return "".join(block(code.co_filename, code.co_firstlineno, code.co_qualname) or ())


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "changes.py"
    path.write_text(BEFORE)
    return path


def test_what_was_kept_stays(file):
    code = code_of(str(file))
    keep(code)
    file.write_text("import os\n\ndef other():\n    return 'after'\n")
    linecache.checkcache()
    assert found(code) == BEFORE
    keep(code)
    file.unlink()
    assert found(code) == BEFORE


def test_what_was_not_kept_is_as_the_file_is_now(file):
    code = code_of(str(file))
    assert found(code) == BEFORE
    file.write_text(BEFORE.replace("before", "after, a longer text"))
    assert "after" in found(code)
    file.unlink()
    assert found(code) == ""


def test_another_function_is_not_taken_for_it(file):
    code = code_of(str(file))
    file.write_text("def other():\n    return 'after f'\n".replace(" f", ""))
    assert found(code) == ""
    file.write_text("x = 1\n")
    assert block(str(file), 7, "f") is None


def test_functions_without_a_name_are_what_stands_there(file):
    file.write_text("g = lambda: (1,\n             2)\n")
    assert "".join(block(str(file), 1, "<lambda>")) == file.read_text()


def test_a_module_is_its_whole_text(file):
    for first in (0, 1):
        assert "".join(block(str(file), first, "<module>")) == BEFORE
    assert block("gone.py", 1, "<module>") is None


def test_an_archive(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("packed.py", BEFORE)
    monkeypatch.syspath_prepend(str(tmp_path / "packed.zip"))
    import packed

    sys.path_importer_cache.clear()  # linecache of 3.14 looks into archives that are there
    monkeypatch.delitem(sys.modules, "packed")
    assert found(packed.f.__code__) == ""
    monkeypatch.setitem(sys.modules, "packed", packed)
    assert found(packed.f.__code__) == BEFORE  # by the loader of the module that is from there
    linecache.clearcache()
    monkeypatch.delitem(sys.modules, "packed")
    keep(packed.f.__code__, packed.f.__globals__)
    linecache.clearcache()
    assert found(packed.f.__code__) == BEFORE


def test_a_cell():
    linecache.cache["<cell 1>"] = (len(BEFORE), None, BEFORE.splitlines(True), "<cell 1>")
    code = code_of("<cell 1>")
    assert found(code) == BEFORE
    keep(code)
    del linecache.cache["<cell 1>"]
    assert found(code) == BEFORE


def test_functions_of_a_file_share_its_lines(file):
    text = BEFORE + "def g():\n    pass\n"
    file.write_text(text)
    codes = [code_of(str(file), text, name) for name in "fg"]
    for code in codes:
        keep(code)
    kept = [source_lines._kept[code.co_filename, code.co_firstlineno, code.co_qualname] for code in codes]
    assert kept[0][1] is kept[1][1]


@pytest.mark.parametrize("text, first, lines", [
    ("x = 1\n\n@a\n@b(1,\n   2)\ndef f():\n    pass\n    # its own\n# not its own\ny = 2\n", 3, 6),
    ("class A:\n    def f(self): return '''\n'''\n    x = 1\ny = 2\n", 2, 2),
    ("cdef class A:\n    cpdef f(self):\n        pass\ny = 2\n", 1, 3),
    ("cdef class A:\n    @dec\n    cpdef f(self):\n        pass\ny = 2\n", 2, 3),
    ("property x:\n    def __get__(self):\n        pass\ny = 2\n", 1, 3),
    ("def f(:\n    (\n    return '''\n", 1, 3),  # it cannot be told
    ("", 1, 0), ("def f(): pass\n", 9, 0),
])
def test_how_far_a_block_goes(text, first, lines):
    every = text.splitlines(True)
    assert block_in(every, first) == every[first - 1:first - 1 + lines]
