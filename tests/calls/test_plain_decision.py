"""src/calls/plain_decision.c: functions are decided about without Python, and as Python decides."""

import ctypes
import linecache
import sys
import textwrap

from conftest import CODE_DIES
import pytest

from scope_profiler import ProfileManager
from scope_profiler._base import unrecorded
from scope_profiler._instrument import call_tracing as calls

PROGRAM = textwrap.dedent("""
    def plain():
        return [inner() for inner in [lambda: 1, lambda: 2]], {1 for _ in "ab"}, {2: 3 for _ in "ab"}

    def twice():
        pass

    first = twice

    def twice():
        yield from (each for each in "abc")

    class Class:
        def method(self):
            def local():
                pass
            local()

        @property
        def value(self):
            return 1

        @value.setter
        def value(self, value):
            pass

    def decorated():
        pass

    def everything():
        plain()
        first()
        list(twice())
        one = Class()
        one.method()
        one.value = one.value
        decorated()
""")


def recorded(asked, module, **filters):
    """{name of a region: (file, line, calls)} and what Python was asked about."""
    namespace = {} if module is None else {"__name__": module}
    exec(compile(PROGRAM, "program.py", "exec"), namespace)
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    try:
        namespace["decorated"] = manager.profile("decorated")(namespace["decorated"])
        asked.clear()
        with calls.tracing(manager, only_user_code=False, **filters):
            namespace["everything"]()
        return {region.name: (region.source_file, region.source_lineno, count)
                for _, region, count, *_ in manager._collect(None)}
    finally:
        manager.reset()


@pytest.fixture
def asked(monkeypatch):
    """The names of the code that Python is asked about."""
    names = []

    def decide(manager, code, *rest):
        names.append(code.co_name)
        return decides(manager, code, *rest)

    decides = calls._decide
    monkeypatch.setattr(calls, "_decide", decide)
    return names


@pytest.mark.parametrize("module", ["program", "__main__", "__mp_main__", None, 3])
def test_as_python_decides(asked, module):
    plainly = recorded(asked, module)
    asked_plainly = {*asked}
    by_python = recorded(asked, module, wanted=lambda code: True)
    assert plainly == by_python and "program.plain" in plainly or module != "program"
    assert {"plain", "twice", "method", "local"} <= {*asked}
    if module in ("program", "__main__"):  # the second of two that have one name is Python's to name
        assert not {"plain", "method", "local", "everything"} & asked_plainly
        assert {"twice", "value"} <= asked_plainly


def test_what_is_ours_is_not_traced(asked):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    with calls.tracing(manager, only_user_code=False):
        unrecorded.is_kept({}, 1)
        linecache.getlines("no file")
    names = {region.name for _, region, *_ in manager._collect(None)}
    assert "linecache.getlines" in names and not any("is_kept" in name for name in names)
    manager.reset()


@pytest.fixture
def all_code_watchers_are_taken():
    """By others, as an interpreter has eight."""
    if sys.version_info < (3, 12):
        pytest.skip("code watchers are new in 3.12")
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)(lambda event, code: 0)
    taken = []
    with pytest.raises(RuntimeError, match="no more code watcher IDs"):
        while True:
            taken.append(ctypes.pythonapi.PyCode_AddWatcher(callback))
    yield
    for number in taken:
        ctypes.pythonapi.PyCode_ClearWatcher(number)


@CODE_DIES
def test_it_is_decided_anew_about_code_at_the_same_address():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    with calls.tracing(manager, only_user_code=False):
        for number in range(50):
            namespace = {"__name__": f"module{number}"}
            exec("def called(): pass", namespace)
            namespace.pop("called")()
    names = {region.name for _, region, *_ in manager._collect(None)}
    assert {f"module{number}.called" for number in range(50)} <= names
    manager.reset()


@CODE_DIES
@pytest.mark.usefixtures("all_code_watchers_are_taken")
def test_the_same_by_weak_references():
    test_it_is_decided_anew_about_code_at_the_same_address()


@pytest.mark.parametrize("plain", [(), 1, ((), []), ([], {}), ((), {}, {})])
def test_what_it_takes(plain):
    manager = ProfileManager()
    with pytest.raises(TypeError, match="plain must be"):
        calls._core.trace_calls(manager, print, True, None, None, None, plain)


@pytest.mark.parametrize("name", ["", ">", "<", "<listcomp"])
def test_names_that_no_compiler_gives(asked, name):
    def function():
        pass

    function.__code__ = function.__code__.replace(co_name=name, co_qualname=name)
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    with calls.tracing(manager, only_user_code=False):
        function()
    assert f"{__name__}.{name}" in {region.name for _, region, *_ in manager._collect(None)}
    manager.reset()
