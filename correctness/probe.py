"""What a case is written with: a profiler to ask, time to pass, and answers to expect.

The environment tells which profiler and which clock: PROBE_PROFILER (see profilers/), PROBE_CLOCK.
Each answer is a line of JSON on stdout: {"what", "truth", "answer", "unit", "right"}, where
unit is "" for counts, "ns", or "program" for what is not the profiler's to answer. One that cannot
do the case ends it with {"cannot": reason}.
"""

import contextlib
import json
import os
from pathlib import Path
import re
import subprocess
import sys

import profilers
from clocks import Fake
from profilers.base import Cannot

_module = profilers.module(os.environ.get("PROBE_PROFILER", "ours"))
_profiler = _module.Adapter(os.environ.get("PROBE_CLOCK", _module.CLOCKS[0]))


# ---- The run


def begin(*features):
    """A run begins; with what a case is about, see Profiler."""
    _check("hits" if "lines" in features else "calls")
    _ask("begin", features)


def end():
    """It is over, and the answers are asked for from here on."""
    _ask("end")


@contextlib.contextmanager
def recording(*features):
    begin(*features)
    yield
    end()


def fake_clock():
    """The case is one for profilers that can be run under a fake clock."""
    if not isinstance(_profiler.clock, Fake):
        _cannot("reads a clock of its own, in C")


def profiled(name):
    """The profiler's decorator for the function with this name."""
    return _ask("profiled", name)


def region(name):
    """The profiler's context manager for a block with this name."""
    return _ask("region", name)


def work(ms):
    """Passes some ms, and does nothing else. Returns how long it took, in ns."""
    return _profiler.clock.work(ms)


def run_program(text, children=False):
    """Runs a program in a process of its own, started as the profiler wants it. Returns its status.

    What is expected afterwards is read from what the profiler wrote. children: that is about those
    of the program, too.
    """
    if children:
        _ask("follow_children")
    program = Path("program.py").resolve()
    program.write_text(text, encoding="utf-8")
    command = _ask("command", str(program))
    status = subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL).returncode
    try:
        _ask("load")
    except FileNotFoundError:
        _tell(what="a file", truth="written", answer="nothing written", unit="", right=False)
        sys.exit()
    return status


# ---- The answers


def expect_calls(name, truth, where=""):
    """So many calls. where: told beside the name, if one name is asked for more than once."""
    _expect(f"calls of {name}{where}", truth, lambda: _ask("calls", name))


def expect_total(name, truth):
    """The time in ns from entry to exit, that of a recursion once."""
    _expect_time(f"total of {name}", truth, lambda: _ask("total", name))


def expect_own(name, truth):
    """The total, in ns, without what is profiled inside."""
    _expect_time(f"own time of {name}", truth, lambda: _ask("own", name))


def expect_running(name, truth):
    """The total, in ns, without the times it stood still."""
    _expect_time(f"running time of {name}", truth, lambda: _ask("running", name))


def expect_longest(name, truth):
    """The time of the longest call, in ns. The total does not tell which exit is whose."""
    _expect_time(f"longest call of {name}", truth, lambda: _ask("longest", name))


def expect(what, truth, answer):
    """Something of the program itself, which is not to change under a profiler."""
    _expect(what, str(truth), lambda: str(answer), unit="program")


def expect_hits():
    """The lines of the case with a comment "hits: 10" were run 10 times."""
    found = _ask("hits")
    for line, text, truth in _marked("hits"):
        _expect(f"hits of `{text}`", truth, lambda: found.get(line, 0))


def expect_times():
    """The lines of the case with a comment "ms: 10" took 10 ms."""
    found = _ask("times")
    for line, text, truth in _marked("ms"):
        _expect_time(f"time of `{text}`", truth * 1_000_000, lambda: found.get(line, 0))


def _marked(unit):
    for line, text in enumerate(Path(sys.argv[0]).read_text(encoding="utf-8").splitlines(), 1):
        if mark := re.match(rf"(.*\S) +# {unit}: (\d+)$", text):
            yield line, mark[1].strip(), int(mark[2])


def _expect(what, truth, read, unit=""):
    answer = _answer(read)
    _tell(what=what, truth=truth, answer=answer, unit=unit, right=answer == truth)


def _expect_time(what, truth, read):
    answer = _answer(read)
    right = not isinstance(answer, str) and _profiler.clock.agree(answer, truth)
    _tell(what=what, truth=truth, answer=answer, unit="ns", right=bool(right))


def _answer(read):
    """What a profiler answers; the name of the error where it fails to."""
    try:
        answer = read()
    except Exception as error:
        return type(error).__name__
    return answer if isinstance(answer, (int, str)) else float(answer)


def _ask(method, *arguments):
    try:
        return getattr(_profiler, method)(*arguments)
    except Cannot as reason:
        _cannot(reason)


def _check(method):
    """That the profiler has it; before a program goes wrong under one that is not for it."""
    try:
        getattr(_profiler, method)
    except Cannot as reason:
        _cannot(reason)


def _cannot(reason):
    """The case ends here, whatever thread or generator this is."""
    _tell(cannot=str(reason))
    os._exit(0)


def _tell(**fields):
    """One write, as forked children share stdout."""
    os.write(1, json.dumps(fields).encode() + b"\n")
