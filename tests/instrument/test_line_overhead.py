"""What measuring adds to the time of lines: what is counted of it (src/lines/line_columns.c), what that
comes to (line_overhead.py), and how it is shown."""

import asyncio
from contextlib import suppress
import io
import linecache
from types import SimpleNamespace

import pytest

from scope_profiler import ProfileManager
from scope_profiler._instrument import line_overhead, monitoring
from scope_profiler._model.counted_lines import CountedLine
from scope_profiler.report import line_columns, line_table
from scope_profiler.report.output import Output


@pytest.fixture
def lined():
    manager = ProfileManager()
    manager.setup(use_line_profiler=True, deactivate_file_output=True)
    yield manager
    manager.reset()


def below(manager, name):
    """{text of the line: (lines counted, frames ended: calls, watched, blocks, steps) in frames above}"""
    found = {}
    for _, code, rows, _ in manager._lines(manager.get_region(name)):
        for line, _, _, extras in rows:
            work = (extras or {}).get("below")
            found[linecache.getline(code[0], line).strip()] = work if work and any(work) else None
    return found


def test_calls_below_a_line(lined):
    @lined.profile("inner")
    def inner():
        x = 1
        return x

    def unrecorded():
        return inner()

    @lined.profile("outer")
    def outer():
        inner(), unrecorded()
        return 1

    outer(), outer()
    assert below(lined, "outer") == {"inner(), unrecorded()": (8, 4, 0, 0, 0), "return 1": None}
    assert below(lined, "inner") == {"x = 1": None, "return x": None}


def test_what_is_below_below_counts_for_all(lined):
    @lined.profile("f")
    def f(n):
        if n:
            f(n - 1)

    f(3)
    assert below(lined, "f")["f(n - 1)"] == (3 * 1 + 3 * 1 + 2 + 1, 6, 0, 0, 0)


def test_watched_functions_blocks_and_steps(lined):
    region, block = lined.profile_region("outer"), lined.profile_region("block")

    def watched():
        return 1

    def blocked():
        with block:
            pass

    @lined.profile("steps")
    def steps():
        yield 1
        yield 2

    @lined.profile("outer")
    def outer():
        watched()
        blocked()
        [_ for _ in steps()]

    lined._add_functions(region, [watched])
    outer()
    found = below(lined, "outer")
    assert found["watched()"] == (1, 0, 1, 0, 0)
    assert found["blocked()"][1:] == (0, 0, 1, 0)
    assert found["[_ for _ in steps()]"] == (2, 1, 0, 0, 2)


def test_an_exception_ends_frames_too(lined):
    @lined.profile("inner")
    def inner():
        raise KeyError

    @lined.profile("outer")
    def outer():
        with suppress(KeyError):
            inner()

    outer()
    assert below(lined, "outer")["inner()"] == (1, 1, 0, 0, 0)


def test_coroutines_below_an_await(lined):
    @lined.profile("inner")
    async def inner():
        await asyncio.sleep(0)

    @lined.profile("outer")
    async def outer():
        await inner()

    asyncio.run(outer())
    assert below(lined, "outer")["await inner()"] == (1, 1, 0, 0, 1)


def test_every_run_starts_at_nothing(lined):
    test_calls_below_a_line(lined)
    lined.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
    test_calls_below_a_line(lined)


# ---- What it comes to


@pytest.fixture
def known():
    """A LineOverhead of costs that are easily told apart."""
    found = line_overhead.LineOverhead(None)
    found._events = {True: line_overhead._Event(1, 0.5, 10), False: line_overhead._Event(2, 0.25, 20)}
    found._frames = {"decorated": 1_000, "watched": 5_000_000, "block": 20_000, "step": 300_000}
    return found


@pytest.mark.parametrize("line, hits, work, slowed, expected", [
    (1, 3, None, 0, 3),
    (257, 3, None, 0, 6),
    (1, 3, None, 4, 9),
    (257, 3, None, 4, 9),
    (1, 1, (1, 0, 0, 0, 0), 0, 11),
    (300, 1, (1, 0, 0, 0, 0), 0, 22),
    (1, 1, (0, 2, 0, 0, 0), 0, 2_001),
    (1, 1, (0, 0, 1, 0, 0), 0, 5_000_001),
    (1, 1, (0, 0, 0, 1, 0), 0, 20_001),
    (1, 1, (0, 0, 0, 0, 1), 0, 300_001),
])
def test_what_was_added(known, line, hits, work, slowed, expected):
    assert known.added_ns(line, hits, work, slowed) == expected


@pytest.mark.parametrize("events, details", [(False, False), (True, False), (False, True)])
def test_it_is_measured_once(lined, monkeypatch, events, details):
    lined.setup(use_line_profiler=True, line_details=details, deactivate_file_output=True, replace=True,
                aggregation_mode=not events)
    found = line_overhead.of(lined)
    assert found is line_overhead.of(lined) and found._details is details
    found.added_ns(1, 5, (1, 1, 1, 1, 1), 2), found.added_ns(1000, 5, (1, 1, 1, 1, 1), 2)
    assert all(ns >= 0 for event in found._events.values() for ns in event)
    assert {*found._frames} == {"decorated", "watched", "block", "step"}
    assert all(ns >= 0 for ns in found._frames.values())
    monkeypatch.setattr(found, "_in_line_mode", None)
    found.added_ns(1000, 5, (1, 1, 1, 1, 1), 2)
    test_calls_below_a_line(lined)  # its bursts have left nothing


@pytest.mark.skipif(not monitoring.AVAILABLE, reason="tool ids are of sys.monitoring")
def test_without_a_tool_id_nothing_is_known_to_be_added(lined, monkeypatch):
    def taken(*_):
        raise RuntimeError

    monkeypatch.setattr(line_overhead.lines, "start", taken)
    found = line_overhead.LineOverhead(line_overhead.overhead.of(lined))
    assert found.added_ns(1, 5, (1, 1, 1, 1, 1), 2) == 0


def test_lines_have_it(lined):
    @lined.profile("r")
    def f():
        return sum(range(100_000))

    f()
    [[row]] = lined.get_region("r").get_stats().lines.values()
    assert row.net_ns == row.time_ns - row.overhead_ns
    [entry] = lined.finalize(verbose=False, return_results=True).line_profile[0]
    assert entry["overhead_ns"].tolist() == [row.overhead_ns]
    assert entry["times"].tolist() == [row.time_ns]  # as it was measured


# ---- How it is shown


class Terminal(io.StringIO):
    def isatty(self):
        return True


ROWS = [CountedLine(1, 4, 1000, overhead_ns=200), CountedLine(2, 2, 40, overhead_ns=60),
        CountedLine(3, 1, 250, overhead_ns=50)]


def test_the_corrected_time_comes_first(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")
    out = Output(Terminal())
    code = SimpleNamespace(co_filename="nowhere.py", co_firstlineno=1, co_qualname="f", co_name="f")
    line_table.show(code, ROWS, out)
    out.deliver()
    text = out._stream.getvalue()
    head, _, *lines = text.splitlines()[5:]
    assert "f – 1.000 µs" in text
    assert head.split() == ["Line", "Hits", "Net", "Per", "hit", "%", "time", "Measured"]
    assert lines[0].split() == ["1", "4", "800", "ns", "200", "ns", "80.0", "1.000", "µs"]
    assert lines[1].split() == ["2", "2", "<", "overhead", "0", "ns", "0.0", "40", "ns"]


def test_elsewhere_times_are_as_measured():
    out = Output(io.StringIO())
    code = SimpleNamespace(co_filename="nowhere.py", co_firstlineno=1, co_qualname="f", co_name="f")
    line_table.show(code, ROWS, out)
    out.deliver()
    rows = [line.split() for line in out._stream.getvalue().splitlines()[-3:]]
    assert rows == [["1", "4", "1000.0", "250.0", "77.5"], ["2", "2", "40.0", "20.0", "3.1"],
                    ["3", "1", "250.0", "250.0", "19.4"]]


def test_where_it_is_not_known_the_time_is_that_of_measuring():
    rows = [CountedLine(1, 4, 1000)]
    assert line_columns.chosen(rows) == ["hits", "time", "per_hit", "share"]
    assert line_columns.total_ns(rows) == 1000
