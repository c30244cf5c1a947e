"""_base/interpreter.py: what is read of the interpreter, on each version that the tests run on."""

import dis
import inspect
import platform
import subprocess
import sys
import textwrap
import threading
from types import CodeType, SimpleNamespace

import pytest

from scope_profiler._base import interpreter


def code_of(source):
    """The code of the first function in the source, or of the module where there is none."""
    module = compile(source, "corpus.py", "exec")
    return next((one for one in module.co_consts if isinstance(one, CodeType)), module)


def read(function, source):
    return function(interpreter.instructions(code_of(source)))


def test_instructions_are_those_of_dis():
    """Of whole modules: with jumps that are extended, calls with caches, code without lines."""
    pending = [compile(inspect.getsource(module), module.__name__, "exec")
               for module in (inspect, dis, textwrap, threading)]
    jumps = 0
    while pending:
        code = pending.pop()
        pending += [one for one in code.co_consts if isinstance(one, CodeType)]
        theirs = [(i.offset, i.opname, i.positions.lineno,
                   i.argval if i.opname.startswith("JUMP_BACKWARD") else None)
                  for i in dis.get_instructions(code)]
        ours = [(i.offset, i.name, i.line, i.target) for i in interpreter.instructions(code)]
        assert ours == theirs
        jumps += sum(target is not None for *_, target in ours)
    assert jumps > 100


# Source, and on which lines it has `with` statements that enter.
WITHS = [
    ("with a: pass", [1]),
    ("def f():\n with a, b as c:\n  pass\n", [2, 2]),
    ("def f():\n with a:\n  with b: pass\n for x in y:\n  with c: return\n", [2, 3, 5]),
    ("def f():\n try:\n  with a: pass\n finally:\n  g(__enter__)\n", [3]),
    ("async def f():\n async with a:\n  with b: await c\n", [3]),
    ("def f():\n a.__enter__()\n a.__exit__()\n", []),
]


@pytest.mark.parametrize("source, lines", WITHS)
def test_with_statements(source, lines):
    code = code_of(source)
    offsets = interpreter.with_statements(interpreter.instructions(code))
    line_at = {at: line for begin, end, line in code.co_lines() for at in range(begin, end)}
    assert [line_at[offset] for offset in offsets] == lines


# Source, and how many loops on one line it has that are statements.
LOOPS = [
    ("for x in y: f(x)", 1),
    ("while a: a = f(a)", 1),
    ("for x in y:\n f(x)\n", 0),
    ("def f():\n for x in y: g(x)\n for x in y:\n  for z in x: g(z)\n", 2),
    ("def f():\n return [g(x) for x in y]\n", 0),
    ("def f():\n return {g(x) for x in y}, {x: g(x) for x in y}\n", 0),
    ("def f():\n return [z for x in y for z in x]\n", 0),
    ("def f():\n for x in [z for z in y]: g(x)\n", 1),
    ("def f():\n return 1\n", 0),
]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring alone needs them")
@pytest.mark.parametrize("source, loops", LOOPS)
def test_one_line_loops(source, loops):
    assert len(read(interpreter.one_line_loops, source)) == loops


@pytest.mark.parametrize("source, begins", [
    ("def f(): return 1", True),
    ("lambda: g()", True),
    ("def f():\n return 1\n", False),
    ("def f(\n  a=1,\n): return a\n", False),
    ("def f(): yield 1", True),
    ("async def f():\n await g()\n", False),
])
def test_begins_on_def_line(source, begins):
    assert read(interpreter.begins_on_def_line, source) == begins


def test_lines_that_are_slower_while_their_events_are_on():
    code = compile("def f(x):\n    y = x\n    g(y)\n    return [y]\n", "f.py", "exec").co_consts[0]
    slowed = interpreter.slowed(interpreter.instructions(code))
    if hasattr(sys, "monitoring"):
        assert (slowed[2], slowed[3], slowed[4]) == (0, 1, 0)
    else:
        assert (slowed[2], slowed[3], slowed[4]) == (2, 7, 3)


def test_flags_are_those_of_inspect():
    assert (interpreter.GENERATOR, interpreter.COROUTINE, interpreter.ITERABLE_COROUTINE,
            interpreter.ASYNC_GENERATOR) == (
        inspect.CO_GENERATOR, inspect.CO_COROUTINE, inspect.CO_ITERABLE_COROUTINE,
        inspect.CO_ASYNC_GENERATOR)


def test_threads():
    done = threading.Event()
    started = [threading.Thread(target=done.wait) for _ in range(3)]
    for thread in started:
        thread.start()
    try:
        assert interpreter.threads()[-3:] == started
        assert interpreter.thread_of(threading.get_ident()) is threading.current_thread()
        assert interpreter.thread_of(started[1].ident) is started[1]
        assert interpreter.thread_of(-1) is None
    finally:
        done.set()
        for thread in started:
            thread.join()


def test_a_process_that_is_being_made():
    from multiprocessing import process

    assert not interpreter.is_being_made(process.current_process())
    assert interpreter.is_being_made(SimpleNamespace(_inheriting=True))


def test_platform_starts_no_process(monkeypatch):
    def starts(*arguments, **settings):
        raise AssertionError("a process was started")

    uname = platform.uname()
    machine, before = uname.machine, vars(uname).pop("processor", None)
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", starts)
        with interpreter.no_process_for_platform():
            assert platform.uname()[4] == machine and platform.uname().processor == ""
    assert vars(uname) == {}  # it is still unknown: who asks for it learns it
    vars(uname)["processor"] = "known"
    try:
        with interpreter.no_process_for_platform():
            assert platform.processor() == "known"
        assert platform.processor() == "known"
    finally:
        del vars(uname)["processor"]
        if before is not None:
            vars(uname)["processor"] = before
