"""import_hook.py: the code of modules, before it runs."""

import importlib
import importlib.util
import os
import sys
import traceback
import zipfile

import pytest

from scope_profiler._instrument.code_finder import functions_in
from scope_profiler._instrument.import_hook import ImportHook


@pytest.fixture
def found(tmp_path, monkeypatch):
    """What the hook has shown: {name: (path, code)}; modules are those of the test's folder."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before, shown = set(sys.modules), {}
    with ImportHook(lambda name, path: name.startswith("hooked"),
                    lambda name, path, code: shown.update({name: (path, code)})):
        yield shown
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def is_that_which_runs(name, found):
    code = importlib.import_module(name).f.__code__
    return any(each is code for each in functions_in(found[name][1]))


def test_the_code_is_that_which_runs(found, tmp_path):
    write("hooked.py", "def f(): pass")
    assert is_that_which_runs("hooked", found)
    assert found["hooked"][0] == str(tmp_path / "hooked.py")


def test_packages_bytecode_and_archives(found, tmp_path):
    import py_compile

    write("hooked_package/__init__.py", "def f(): pass")
    write("hooked_package/module.py", "def f(): pass")
    write("compiled.py", "def f(): pass")
    py_compile.compile("compiled.py", "hooked_compiled.pyc")
    with zipfile.ZipFile("archive.zip", "w") as file:
        file.writestr("hooked_one.py", "def f(): pass")
        file.writestr("hooked_two.py", "def f(): pass")
    sys.path.append(str(tmp_path / "archive.zip"))
    for name in ("hooked_package", "hooked_package.module", "hooked_compiled", "hooked_one", "hooked_two"):
        assert is_that_which_runs(name, found), name
    sys.path.remove(str(tmp_path / "archive.zip"))


def test_others_are_not_compiled_by_us(found):
    write("unwanted.py", "def f(): pass")
    import unwanted

    assert found == {} and "get_code" not in vars(unwanted.__loader__)


def test_the_module_looks_as_ever(found, tmp_path):
    write("hooked.py", "import sys\ndef f(): pass\ndepth = sys._getframe().f_back.f_code.co_filename")
    import hooked

    assert hooked.depth.startswith("<frozen importlib")
    assert type(hooked.__loader__) is importlib.machinery.SourceFileLoader
    assert hooked.__loader__ is hooked.__spec__.loader
    assert hooked.__file__ == str(tmp_path / "hooked.py")
    assert hooked.__spec__.cached == importlib.util.cache_from_source(hooked.__file__)
    assert importlib.reload(hooked) is hooked


@pytest.mark.parametrize("source", ["1 / 0", "def f(:", "import hooked_missing"])
def test_tracebacks_of_imports_are_as_ever(found, source):
    write("hooked.py", source)
    shown = []
    for _ in range(2):
        try:
            importlib.import_module("hooked")
        except Exception:
            shown.append(traceback.format_exc())
        sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder) is not ImportHook]
    assert len(shown) == 2 and shown[0] == shown[1]


def test_what_goes_wrong_while_it_is_shown_does_not_stop_the_import(capsys, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(tmp_path))
    write("hooked_wrong.py", "x = 1")
    with ImportHook(lambda name, path: name == "hooked_wrong", lambda *of: 1 / 0):
        assert importlib.import_module("hooked_wrong").x == 1
    del sys.modules["hooked_wrong"]
    assert "the functions of hooked_wrong are not profiled: ZeroDivisionError" in capsys.readouterr().err


def test_a_module_that_is_not_there(found):
    assert importlib.util.find_spec("hooked_nowhere") is None
    with pytest.raises(ModuleNotFoundError, match="hooked_nowhere"):
        importlib.import_module("hooked_nowhere")
