"""report/: what finalize() prints."""

import io

import pytest

from scope_profiler.report import print_run
from scope_profiler.report.style import format_count, format_share, format_time
from scope_profiler.snapshot import take


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Ascii(io.StringIO):
    encoding = "ascii"


def printed(manager, stream=None):
    stream = stream or io.StringIO()
    print_run(take(manager, results=False), stream)
    return stream.getvalue()


@pytest.mark.parametrize("ns, text", [
    (0, "0 ns"), (7, "7 ns"), (999, "999 ns"), (1000, "1.000 µs"), (12_345, "12.35 µs"),
    (123_456, "123.5 µs"), (1_000_000, "1.000 ms"), (1_234_567_890, "1.235 s"),
    (123_456_000_000_000, "123456 s"), (-1500, "-1.500 µs"),
])
def test_times_have_four_digits_and_a_unit(ns, text):
    assert format_time(ns) == text


def test_counts_have_thousands_apart():
    assert format_count(1234567) == "1 234 567"


@pytest.fixture
def run(manager, clock):
    with manager.profile_region("outer"):
        clock.tick(1_000_000)
        for i in range(3):
            with manager.profile_region("inner"):
                clock.tick(2_000_000)
        with manager.profile_region("last"):
            clock.tick(500)
    with manager.profile_region("beside"):
        clock.tick(100)
    manager._run.start_time_ns = 0
    manager._run.finalize_time_ns = 10_000_000
    return manager


def test_region_table(run):
    lines = [line.rstrip() for line in printed(run).splitlines()]
    assert lines[1] == "scope-profiler: in memory – 10.00 ms, 4 regions, 6 calls"
    table = lines[3:9]
    assert table[0].split() == ["Region", "Calls", "%", "run", "Total", "Own", "Net", "Average",
                                "Min", "p50", "p99", "Max", "Std"]
    assert table[2].split() == ["outer", "1", "70.0", *"7.000 ms 1.000 ms 1.000 ms".split(),
                                *"7.000 ms 7.000 ms 7.000 ms 7.000 ms 7.000 ms 0 ns".split()]
    assert table[3].startswith("├─ inner") and " 3   60.0" in table[3]
    assert table[4].startswith("└─ last") and table[5].startswith("beside")


def test_errors_have_a_column_when_there_are_any(run):
    assert "Errors" not in printed(run)
    with pytest.raises(ValueError):
        with run.profile_region("fails"):
            raise ValueError
    table = printed(run).splitlines()
    assert any(line.endswith("Errors") for line in table)
    assert any(line.startswith("fails") and line.endswith(" 1") for line in table)


def test_own_overhead_is_always_told(run):
    assert "Own overhead: " in printed(run) and "% of the run" in printed(run)


def test_what_was_missed_is_told(run):
    assert "without having been entered" not in printed(run)
    run.profile_region("outer").__exit__(None, None, None)
    assert "1 call left without having been entered in this run" in printed(run)


def test_plain_where_no_terminal_and_colours_where_one(run, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" not in printed(run)
    coloured = printed(run, Terminal())
    assert "\x1b[" in coloured and "inner" in coloured


def test_ascii_streams_get_ascii(run):
    text = printed(run, Ascii())
    text.encode("ascii")
    assert "|- inner" in text and "`- last" in text


def test_long_tables_leave_out_the_trifles(manager, clock):
    for i in range(300):
        with manager.profile_region(f"region {i}"):
            clock.tick(1 if i % 3 else 10**6)
    manager._run.start_time_ns, manager._run.finalize_time_ns = 0, 10**8
    lines = printed(manager).splitlines()
    assert sum(line.startswith("region") for line in lines) == 100
    assert ("… and 200 rows not shown, of those that took least; all: "
            "finalize(return_results=True).print_summary(whole=True)") in lines


def test_names_of_any_kind(manager):
    for name in ("with [markup]", "日本語", "a" * 200, "tab\tand\nnewline"):
        with manager.profile_region(name):
            pass
    for stream in (io.StringIO(), Terminal(), Ascii()):
        text = printed(manager, stream)
        assert "with [markup]" in text
        assert "newline" in text and "and\nnewline" not in text
