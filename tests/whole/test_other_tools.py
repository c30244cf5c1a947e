"""Other tools at the same time: ours has the numbers it has alone, theirs what they have without us.

A tool that is not installed is skipped; line_profiler, which is no dependency of the tests, too.
"""

import collections
import cProfile
import faulthandler
import functools
import gc
import io
import itertools
import pdb
import pstats
import signal
import subprocess
import sys
import threading
import tracemalloc
import weakref

import pytest

from conftest import NO_GIL
from scope_profiler import ProfileManager
from scope_profiler._instrument import call_tracing as calls, lines
from scope_profiler._instrument.lines import counted_lines
from scope_profiler._model.counted_lines import once
import tool_programs as programs

FILE = programs.__file__
MONITORING = sys.version_info >= (3, 12)
on_unix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")

# ---- The tools


class SetTrace:
    """A debugger's kind of tool: the sequence of events."""

    def __init__(self):
        self.events, self.is_shown = [], None

    def __call__(self, frame, event, argument):
        if frame.f_code.co_filename == FILE:
            self.events.append((frame.f_code.co_name, event, frame.f_lineno))
        return self

    def start(self):
        sys.settrace(self)

    def stop(self):
        self.is_shown = sys.gettrace() is self
        sys.settrace(None)

    def data(self):
        return self.events, self.is_shown


class SetProfile(SetTrace):
    def __call__(self, frame, event, argument):
        if event in ("call", "return"):
            super().__call__(frame, event, argument)

    def start(self):
        sys.setprofile(self)

    def stop(self):
        self.is_shown = sys.getprofile() is self
        sys.setprofile(None)


class CProfile:
    def __init__(self):
        self.profiler = cProfile.Profile()
        self.start, self.stop = self.profiler.enable, self.profiler.disable

    def data(self):
        rows = pstats.Stats(self.profiler).stats
        return {key[2]: row[:2] for key, row in rows.items() if key[0] == FILE}


class Coverage:
    def __init__(self, core, branch, monkeypatch):
        coverage = pytest.importorskip("coverage")
        monkeypatch.setenv("COVERAGE_CORE", core)
        self.coverage = coverage.Coverage(data_file=None, branch=branch, include=[FILE])
        self.start, self.stop = self.coverage.start, self.coverage.stop

    def data(self):
        data = self.coverage.get_data()
        return sorted(data.lines(FILE) or ()), sorted(data.arcs(FILE) or ())


class Yappi:
    def __init__(self):
        self.yappi = pytest.importorskip("yappi")
        self.yappi.clear_stats()
        self.start, self.stop = self.yappi.start, self.yappi.stop

    def data(self):
        found = {row.name: row.ncall for row in self.yappi.get_func_stats() if row.module == FILE}
        self.yappi.clear_stats()
        return found


class VizTracer:
    def __init__(self):
        viztracer = pytest.importorskip("viztracer")
        self.tracer = viztracer.VizTracer(verbose=0, ignore_c_function=True)
        self.start, self.stop = self.tracer.start, self.tracer.stop

    def data(self):
        self.tracer.parse()
        names = (event["name"] for event in self.tracer.data["traceEvents"] if event["ph"] == "X")
        return collections.Counter(name.split()[0] for name in names if FILE in name)


class LineProfiler:
    def __init__(self):
        # Our folder of tests of that name is no such package.
        module = pytest.importorskip("line_profiler.line_profiler")
        self.profiler = module.LineProfiler(programs.leaf)

    def start(self):
        self.profiler.enable_by_count()

    def stop(self):
        self.profiler.disable_by_count()

    def data(self):
        timings = self.profiler.get_stats().timings
        return {key[2]: [row[:2] for row in rows] for key, rows in timings.items()}


class Nothing:
    def start(self):
        pass

    def stop(self):
        pass

    def data(self):
        return None


def coverage(core, branch=False):
    return pytest.param(lambda patch: Coverage(core, branch, patch),
                        id=f"coverage-{core}" + "-branch" * branch)


def tool(kind):
    return pytest.param(lambda patch: kind(), id=kind.__name__)


TOOLS = [
    *map(tool, (SetTrace, SetProfile, CProfile, Yappi, VizTracer, LineProfiler)),
    coverage("pytrace"), coverage("pytrace", branch=True),
    coverage("ctrace"), coverage("ctrace", branch=True),
    *([coverage("sysmon")] if MONITORING else []),
]

# ---- We, in every mode, and nobody

MODES = {
    "default": {},
    "lines": {"use_line_profiler": True},
    "recursive": {"recursive_profile": True},
    "everywhere": {},
    "tasks": {"track_async": True},
    "threads": {"track_threads": True},
    "lines and calls": {"use_line_profiler": True, "recursive_profile": True},
}


class We:
    def __init__(self, mode):
        self.mode = mode

    def begin(self):
        self.manager = ProfileManager()
        self.manager.setup(deactivate_file_output=True, **MODES[self.mode])
        if self.mode == "everywhere":
            calls.start(self.manager, include=["tool_programs.*"])
        region, profile = self.manager.region("r"), self.manager.profile
        return region, profile("f")(programs.decorated), profile("g")

    def end(self):
        """({region: calls}, {(region, function): [(line, hits), ...]}), of what is not the tool's."""
        manager = self.manager
        manager.finalize(verbose=False)
        counts = collections.Counter()
        for _, region, number, *_ in manager._collect(None):
            if region.name.startswith("tool_programs.") or "." not in region.name:
                counts[region.name] += number
        hits = {(name, code.co_name): [row[:2] for row in rows]
                for name, code, rows, *_ in counted_lines(manager)}
        calls.stop(manager)
        manager.reset()
        return counts, hits


class Nobody:
    def begin(self):
        return threading.RLock(), programs.decorated, lambda function: function

    def end(self):
        return None


def run_all(region, f):
    programs.blocks(region, 3), f(3), programs.interleaved(region), f(1)


# ---- When the tool comes and goes; each returns what we have found


def around(us, tool):
    tool.start()
    run_all(*us.begin()[:2])
    found = us.end()
    tool.stop()
    return found


def between_calls(us, tool):
    region, f, _ = us.begin()
    for start, stop in ((int, int), (tool.start, tool.stop), (int, int)):
        start()
        run_all(region, f)
        stop()
    return us.end()


def from_inside_a_block(us, tool):
    region, f, _ = us.begin()
    programs.block_that_starts(region, tool)
    run_all(region, f)
    tool.stop()
    return us.end()


def until_inside_a_block(us, tool):
    region, f, _ = us.begin()
    tool.start()
    run_all(region, f)
    programs.block_that_stops(region, tool)
    run_all(region, f)
    return us.end()


def inside_a_block(us, tool):
    region, f, _ = us.begin()
    programs.block_with_both(region, tool)
    run_all(region, f)
    return us.end()


def from_inside_a_call(us, tool):
    region, f, decorate = us.begin()
    decorate(programs.call_that_starts)(tool)
    run_all(region, f)
    tool.stop()
    return us.end()


def until_inside_a_call(us, tool):
    region, f, decorate = us.begin()
    tool.start()
    run_all(region, f)
    decorate(programs.call_that_stops)(tool)
    run_all(region, f)
    return us.end()


def inside_a_call(us, tool):
    region, f, decorate = us.begin()
    decorate(programs.call_with_both)(tool)
    run_all(region, f)
    return us.end()


def across_runs(us, tool):
    region, f, _ = us.begin()
    run_all(region, f)
    tool.start()
    run_all(region, f)
    first = us.end()
    run_all(*us.begin()[:2])
    tool.stop()
    return first, us.end()


MOMENTS = [around, between_calls, from_inside_a_block, until_inside_a_block, inside_a_block,
           from_inside_a_call, until_inside_a_call, inside_a_call, across_runs]


@functools.cache
def ours_alone(moment, mode):
    return moment(We(mode), Nothing())


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
@pytest.mark.parametrize("make", TOOLS)
def test_both_keep_their_data(make, moment, monkeypatch):
    alone = make(monkeypatch)
    moment(Nobody(), alone)
    expected = alone.data()
    for mode in MODES:
        tool = make(monkeypatch)
        assert moment(We(mode), tool) == ours_alone(moment, mode), mode
        assert tool.data() == expected, mode


def test_the_numbers_are_right():
    """What the comparison above compares with."""
    counts, hits = ours_alone(around, "lines and calls")
    assert counts == {"r": 5, "f": 2, "tool_programs.leaf": 8, "tool_programs.generate": 2}
    of_f = [number for _, number in hits["f", "decorated"]]
    of_block = [number for _, number in hits["r", "blocks"]]
    assert (of_f, of_block) == ([2, 6, 4, 2, 2], [3, 3, 3, 1])
    assert ours_alone(around, "everywhere")[0]["tool_programs.leaf"] == 15
    tool = SetTrace()
    around(Nobody(), tool)
    assert [event[:2] for event in tool.events].count(("leaf", "call")) == 15


# ---- Generators and tasks under tools


@pytest.mark.parametrize("mode", MODES)
def test_the_steps_of_a_decorated_generator(mode):
    """A tool sees the user's function as often as without us, and ours beside it."""

    def seen(decorate):
        profiler = CProfile()
        profiler.start()
        for _ in range(2):
            list(decorate(programs.generate)(3))
        profiler.stop()
        return profiler.data()

    us = We(mode)
    beside = seen(us.begin()[2])
    assert us.end()[0]["g"] == 2
    assert beside == seen(lambda function: function)


# ---- Debuggers


def debugged(region, f, commands):
    """What pdb writes while it goes through a function with these commands."""
    out = io.StringIO()
    debugger = pdb.Pdb(stdin=io.StringIO(commands), stdout=out, nosigint=True, readrc=False)
    debugger.prompt = ""

    debugger.runcall(programs.session, region, f)
    return [line for line in out.getvalue().splitlines() if line.startswith(("> ", "--", "->"))]


@pytest.mark.parametrize("commands", [
    "next\n" * 4 + "continue\n",
    "next\nstep\n" + "next\n" * 6 + "return\ncontinue\n",
    "next\nnext\nstep\nnext\nnext\nstep\nreturn\nuntil\ncontinue\n",
    f"tbreak {FILE}:{programs.leaf.__code__.co_firstlineno + 1}\ncontinue\nup\ndown\nreturn\n"
    "continue\n",
], ids=["next", "into a block", "into a call", "breakpoint"])
def test_pdb_goes_the_same_way(commands):
    expected = debugged(*Nobody().begin()[:2], commands)
    assert len(expected) > 5
    for mode in MODES:
        us = We(mode)
        assert debugged(*us.begin()[:2], commands) == expected, mode
        counts, hits = us.end()
        assert (counts["r"], counts["f"]) == (2, 1)
        if "lines" in mode:
            assert [number for _, number in hits["r", "blocks"]] == [2, 2, 2]


@pytest.mark.skipif(MONITORING, reason="sys.monitoring lets both listen")
def test_where_3_11_cannot_have_both():
    """sys.settrace() called by a recorded frame itself: the rest of that call is the tracer's alone,
    and the next ones count."""
    manager = ProfileManager()
    manager.setup(use_line_profiler=True, deactivate_file_output=True)
    tool = SetTrace()

    @manager.profile("f")
    def f(first):
        if first:
            sys.settrace(tool)
        programs.leaf(1)
        return 1

    f(True), f(False)
    sys.settrace(None)
    [(_, rows)] = once(lines.counted_lines(manager))
    assert [row.hits for row in rows] == [2, 1, 1, 1]
    assert [event[:2] for event in tool.events].count(("leaf", "call")) == 2
    manager.reset()


# ---- sys.monitoring


@pytest.mark.skipif(not MONITORING, reason="sys.monitoring is new in 3.12")
@pytest.mark.parametrize("mode", ["lines", "recursive", "lines and calls"])
def test_all_tool_ids_taken(mode):
    """A clear message that says who has them; nothing is armed, nothing of theirs is touched."""
    monitoring = sys.monitoring
    free = [number for number in range(6) if monitoring.get_tool(number) is None]
    local = [monitoring.get_local_events(n, programs.blocks.__code__) for n in range(6)]
    for number in free:
        monitoring.use_tool_id(number, f"tool {number}")
        monitoring.set_events(number, monitoring.events.PY_START)
    manager = ProfileManager()
    try:
        with pytest.raises(RuntimeError, match="needs a free tool id of sys.monitoring; taken: 3 by"):
            manager.setup(deactivate_file_output=True, **MODES[mode])
        assert not manager.is_active()
        assert [monitoring.get_tool(number) for number in free] == [f"tool {n}" for n in free]
        assert all(monitoring.get_events(n) == monitoring.events.PY_START for n in free)
        manager.setup(deactivate_file_output=True)
        run_all(manager.region("r"), manager.profile("f")(programs.decorated))
        assert manager.get_region("r").num_calls == 5
        code = programs.blocks.__code__
        assert [monitoring.get_local_events(n, code) for n in range(6)] == local
    finally:
        manager.reset()
        for number in free:
            monitoring.set_events(number, 0)
            monitoring.free_tool_id(number)
    us = We(mode)
    run_all(*us.begin()[:2])
    assert us.end() == ours_alone(around, mode)
    assert all(monitoring.get_tool(number) is None for number in free)


# ---- Code of the user's that may run anywhere: finalizers, signals


class Anywhere:
    """Regions entered from where nobody calls them, and how often."""

    def __init__(self, manager):
        self.manager = manager
        self.counters = {name: itertools.count() for name in ("gc", "del", "weak", "signal")}
        self.profiled = manager.profile("anywhere")(programs.leaf)

    def enter(self, name):
        with self.manager.region(name):
            next(self.counters[name])  # in one go, unlike +=
            self.profiled(1)

    def entered(self):
        counts = {name: next(counter) for name, counter in self.counters.items()}
        return {**counts, "anywhere": sum(counts.values())}


class Dies:
    def __init__(self, anywhere):
        self.anywhere = anywhere

    def __del__(self):
        self.anywhere.enter("del")


def rubbish(anywhere):
    """An object in a cycle with a finalizer; and one with a weak reference that tells."""
    cycle = [Dies(anywhere)]
    cycle.append(cycle)
    return weakref.ref(Dies(anywhere), lambda _: anywhere.enter("weak"))


@on_unix
@pytest.mark.parametrize("mode", MODES)
def test_finalizers_and_signals_that_enter_regions(mode):
    """While regions open and close, results are taken, and other runs begin and end."""
    us = We(mode)
    region, f, decorate = us.begin()
    g = decorate(programs.generate)
    anywhere = Anywhere(us.manager)
    watch = lambda phase, info: anywhere.enter("gc")
    threshold, handler = gc.get_threshold(), signal.getsignal(signal.SIGALRM)
    signal.signal(signal.SIGALRM, lambda *_: anywhere.enter("signal"))
    gc.callbacks.append(watch)
    gc.set_threshold(50)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        for number in range(250):
            programs.blocks(region, 3), f(3), list(g(2)), programs.interleaved(region)
            reference = rubbish(anywhere)
            if number % 10 == 0:
                us.manager.get_region("f").get_stats()
                other = We(mode)
                run_all(*other.begin()[:2])
                other.end()
            if number % 50 == 0:
                us.manager.finalize(verbose=False)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0, 0)
        signal.signal(signal.SIGALRM, handler)
        gc.callbacks.remove(watch)
        gc.set_threshold(*threshold)
    del reference
    gc.collect()
    expected = anywhere.entered()
    counts, hits = us.end()
    # A signal that another thread receives (of numpy's, say) is handled here at once, also inside
    # of finalize() and the like, where nothing is counted.
    uncounted = expected["signal"] - counts["signal"]
    assert 0 <= uncounted < max(expected["signal"], 2)
    expected["signal"] -= uncounted
    expected["anywhere"] -= uncounted
    assert {name: counts[name] for name in expected} == expected
    assert expected["signal"] > 0 and (expected["gc"] > 10 or NO_GIL) and expected["del"] == 500
    assert (counts["f"], counts["g"], counts["r"]) == (250, 250, 1250)
    if "lines" in mode:
        assert dict(hits["r", "blocks"])[programs.blocks.__code__.co_firstlineno + 4] == 750
        # Of a signal that comes right when a function is decided about, the lines are not seen;
        # nor, on 3.12, those of what is collected then, which gc.disable() does not prevent there.
        lost = expected["anywhere"] - hits["anywhere", "leaf"][0][1]
        if sys.version_info[:2] != (3, 12):
            assert 0 <= lost <= (expected["signal"] if mode == "lines and calls" else 0)


@pytest.mark.parametrize("module, made", [(calls, "_Tracing"), (lines, "_reference")])
def test_garbage_that_is_collected_while_it_begins(module, made, monkeypatch):
    """The last manager that traced dies when the next one begins: its end is not the new one's."""

    def collecting(manager):
        value = make(manager)
        gc.collect()
        return value

    make = getattr(module, made)
    old = ProfileManager()
    old.setup(deactivate_file_output=True)
    old.itself = old
    module.start(old)
    del old
    monkeypatch.setattr(module, made, collecting)
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    module.start(manager)
    assert not MONITORING or module._tool.is_ours()
    module.stop(manager)
    assert module._tool is None
    manager.reset()


def test_a_handler_that_calls_while_tracing_ends(manager, monkeypatch):
    """At each moment of the end, a function may be called that nobody has been asked about."""
    unraisable, steps = [], []

    def interrupt(owner, name):
        step = getattr(owner, name)

        def interrupted(*arguments):
            exec("def fresh(): pass\nfresh()", {"__name__": "user"})
            steps.append(name)
            return step(*arguments)

        monkeypatch.setattr(owner, name, interrupted)

    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    interrupt(calls._core, "untrace_calls")
    interrupt(calls.monitoring.Tool, "free")
    with calls.tracing(manager, only_user_code=False, include=["user.*"]):
        pass
    assert steps == ["untrace_calls", "free"][: 1 + MONITORING]
    assert not [str(told.exc_value) for told in unraisable]


# ---- Memory and crashes


@pytest.mark.parametrize("mode", MODES)
def test_tracemalloc(mode):
    """It traces on, tells who allocated, and nothing of ours breaks it."""

    def held(region, f):
        tracemalloc.start()
        try:
            with region:
                kept = [bytes(1000) for _ in range(100)]
            run_all(region, f)
            snapshot = tracemalloc.take_snapshot()
            assert tracemalloc.is_tracing()
        finally:
            tracemalloc.stop()
        del kept
        here = tracemalloc.Filter(True, __file__)
        return [row.count for row in snapshot.filter_traces([here]).statistics("lineno")][0]

    held(*Nobody().begin()[:2])  # what the interpreter allocates once
    expected = held(*Nobody().begin()[:2])
    us = We(mode)
    assert held(*us.begin()[:2]) in range(expected, expected + 5)
    assert us.end()[0]["r"] == 6


@pytest.mark.parametrize("mode", MODES)
def test_faulthandler_shows_the_stack(mode, tmp_path):
    def dumped(region, f):
        with open(tmp_path / "dump", "w+") as file:

            class Dumping:
                """A number that dumps the stack where it is counted to."""

                def __index__(self):
                    faulthandler.dump_traceback(file)
                    return 1

            with region:
                f(Dumping())
            file.seek(0)
            text = file.read()
        return [line for line in text.splitlines() if FILE in line]

    expected = dumped(*Nobody().begin()[:2])
    us = We(mode)
    assert dumped(*us.begin()[:2]) == expected and len(expected) == 1
    counts = us.end()[0]
    assert (counts["r"], counts["f"]) == (1, 1)


@on_unix
def test_faulthandler_at_a_crash(tmp_path):
    """A crash inside a region, with line mode and tracing on: the dump names the user's lines."""
    (tmp_path / "crash.py").write_text("""if True:
        import faulthandler
        from scope_profiler import ProfileManager
        faulthandler.enable()
        ProfileManager.setup(use_line_profiler=True, recursive_profile=True,
                             deactivate_file_output=True)
        @ProfileManager.profile("f")
        def f(n):
            with ProfileManager.region("r"):
                if n == 0:
                    faulthandler._sigsegv()
                f(n - 1)
        f(3)
    """)
    ended = subprocess.run([sys.executable, "crash.py"], cwd=tmp_path, text=True, capture_output=True)
    assert ended.returncode == -signal.SIGSEGV
    assert "Segmentation fault" in ended.stderr and ended.stderr.count(" in f") == 4


# ---- Threads of the tools


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("install", [threading.settrace, threading.setprofile])
def test_tools_of_every_new_thread(mode, install):
    def seen(region, f):
        events = []

        def tool(frame, event, argument):
            if frame.f_code.co_filename == FILE and event in ("call", "line", "return"):
                events.append((frame.f_code.co_name, event, frame.f_lineno))
            return tool

        install(tool)
        try:
            for _ in range(2):
                thread = threading.Thread(target=run_all, args=(region, f))
                thread.start()
                thread.join()
        finally:
            install(None)
        return events

    expected = seen(*Nobody().begin()[:2])
    us = We(mode)
    assert seen(*us.begin()[:2]) == expected and len(expected) > 50
    counts = us.end()[0]
    assert (counts["r"], counts["f"]) == (10, 4)
