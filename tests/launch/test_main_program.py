"""main_program.py: what a program sees of itself is what it sees under Python."""

import json
import os
import py_compile
import subprocess
import sys
import traceback
import zipfile

import pytest

from scope_profiler._launch.main_program import MainProgram, restored

# Prints all that tells a program how it was started. What differs on purpose is left out:
# sys.path is reduced to what is new in it, the loader to its type.
PROGRAM = """
import json, sys, os
main = sys.modules["__main__"]
assert main.__dict__ is globals()
print(json.dumps({
    "argv": sys.argv[1:], "program": os.path.realpath(sys.argv[0]), "name": __name__,
    "file": os.path.realpath(__file__), "package": __package__, "doc": __doc__,
    "cached": globals().get("__cached__", "none"), "loader": type(__loader__).__name__,
    "spec": None if __spec__ is None else [__spec__.name, __spec__.parent],
    "builtins": type(__builtins__).__name__, "first": sys.path[0],
    "code": os.path.realpath(sys._getframe().f_code.co_filename),
    "annotations": globals().get("__annotations__", {}),
}))
"""

RUNNER = """
import sys
from scope_profiler._launch.main_program import MainProgram
way, target, *args = sys.argv[1:]
del sys.path[0]
if way == "from_module": sys.path.insert(0, "")
getattr(MainProgram, way)(target).run(args)
"""


def script(tmp_path):
    path = tmp_path / "prög ram.py"
    path.write_text('"""A doc."""\n' + PROGRAM, encoding="utf-8")
    return path


def link(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "link.py").symlink_to(script(tmp_path))
    return folder / "link.py"


def compiled(tmp_path):
    return py_compile.compile(script(tmp_path), tmp_path / "compiled.pyc", doraise=True)


def folder(tmp_path):
    path = tmp_path / "a folder"
    path.mkdir()
    (path / "__main__.py").write_text(PROGRAM)
    return path


def archive(tmp_path):
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("__main__.py", PROGRAM)
    return path


def outcome(command, **settings):
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, **settings)
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize("make", [script, link, compiled, folder, archive],
                         ids=lambda make: make.__name__)
def test_a_path_as_python_runs_it(make, tmp_path):
    target = make(tmp_path)
    ours = outcome(["-c", RUNNER, "from_path", target, "a b", "--c"])
    assert ours == outcome([target, "a b", "--c"])
    assert ours["argv"] == ["a b", "--c"]


@pytest.mark.parametrize("name", ["alone", "package", "package.inside"])
def test_a_module_as_python_runs_it(name, tmp_path):
    (tmp_path / "package").mkdir()
    for path in ("alone.py", "package/__init__.py", "package/__main__.py", "package/inside.py"):
        (tmp_path / path).write_text("" if "init" in path else PROGRAM)
    ours, plain = (
        outcome([*way, name, "x"], cwd=tmp_path)
        for way in (["-c", RUNNER, "from_module"], ["-m"])
    )
    assert ours.pop("first") == "" and plain.pop("first") == os.fspath(tmp_path)
    assert ours == plain


TEXT = """
import sys
print(__name__, sys.modules["__main__"].__dict__ is globals(), sys.argv, sys.path[0],
      sorted({*globals()} - {"__annotations__"}), __spec__, __package__, sys._getframe().f_code.co_flags)
"""


@pytest.mark.parametrize("flags", [[], ["-P"]])
def test_text_as_python_runs_it(flags):
    runner = ("import sys\nfrom scope_profiler._launch.main_program import MainProgram\n"
              f"if not sys.flags.safe_path: del sys.path[0]\n"
              f"MainProgram.from_text({TEXT!r}, '<text>', '-c').run(sys.argv[1:])")
    ours, plain = (subprocess.run([sys.executable, *flags, "-c", text, "a", "-b"], capture_output=True,
                                  text=True, check=True).stdout for text in (runner, TEXT))
    assert ours == plain


def test_the_text_is_in_tracebacks():
    program = MainProgram.from_text("x = 1\n1 / 0", "<some text>", "-c")
    with restored(), pytest.raises(ZeroDivisionError) as caught:
        program.run([])
    assert '"<some text>", line 2, in <module>\n    1 / 0' in "".join(
        traceback.format_tb(program.traceback_of(caught.value)))
    with pytest.raises(SyntaxError, match="some other"):
        MainProgram.from_text("x =", "<some other>", "-c")


def test_nothing_is_imported_from_its_folder_with_safe_path(tmp_path):
    target = script(tmp_path)
    assert outcome(["-P", "-c", RUNNER.replace("del sys.path[0]", ""), "from_path", target]) == (
        outcome(["-P", target]))


def test_no_bytecode_is_left(tmp_path):
    outcome(["-c", RUNNER, "from_path", script(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["prög ram.py"]


@pytest.mark.parametrize("make, error, message", [
    (lambda path: path / "missing.py", FileNotFoundError, "missing.py"),
    (lambda path: path, ImportError, "can't find '__main__' module in "),
    (lambda path: broken(path, "x ="), SyntaxError, "broken.py"),
    (lambda path: broken(path, "# coding: nonsense"), SyntaxError, "nonsense"),
])
def test_what_is_no_program(make, error, message, tmp_path):
    with pytest.raises(error) as caught:
        MainProgram.from_path(make(tmp_path))
    assert message in f"{caught.value} {caught.value.filename if error is SyntaxError else ''}"


def broken(folder, source):
    path = folder / "broken.py"
    path.write_text(source)
    return path


@pytest.mark.parametrize("name", ["nowhere", "json.nowhere", "xml", "math"])
def test_what_is_no_module(name):
    with pytest.raises(ImportError, match=name):
        MainProgram.from_module(name)


def test_the_traceback_begins_with_the_program(tmp_path):
    path = tmp_path / "fails.py"
    path.write_text("def fail():\n    1 / 0\nfail()\n")
    program = MainProgram.from_path(path)
    with restored(), pytest.raises(ZeroDivisionError) as caught:
        program.run([])
    frames = []
    traceback = program.traceback_of(caught.value)
    while traceback is not None:
        frames.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert frames == ["<module>", "fail"]
    assert program.traceback_of(ValueError()) is None


def test_restored_puts_back(tmp_path):
    argv, path, main = sys.argv, sys.path, sys.modules["__main__"]
    entries = list(path)
    with pytest.raises(KeyError), restored():
        sys.argv, sys.path[:] = [], ["x"]
        del sys.modules["__main__"]
        raise KeyError
    assert sys.argv is argv and sys.modules["__main__"] is main
    assert sys.path is path and path == entries
