"""report/: what finalize() prints."""

import asyncio
from contextlib import ExitStack
import inspect
import io
import pydoc
import subprocess
import sys
from types import SimpleNamespace

import pytest

import scope_profiler as sp
from scope_profiler import ProfileManager, _core, load, report
from scope_profiler.report import (
    blocks, line_table, notes, output, print_run, region_table, rows, style,
    table_columns as columns,
)
from scope_profiler.report.style import format_count, format_share, format_time
from scope_profiler._base.shown import cells
from scope_profiler._run.snapshot import take_snapshot


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Ascii(io.StringIO):
    encoding = "ascii"


def printed(manager, stream=None):
    stream = stream or io.StringIO()
    print_run(take_snapshot(manager, results=False), stream)
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


# ---- It never stops the program


class Broken(io.StringIO):
    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


def encoded(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


STREAMS = {"broken": Broken, "closed": closed, "none": lambda: None,
           "ascii": lambda: encoded("ascii"), "latin-1": lambda: encoded("latin-1"),
           "utf-16": lambda: encoded("utf-16"), "no stream at all": lambda: 7}


@pytest.mark.parametrize("name", STREAMS)
def test_whatever_standard_output_is(tmp_path, monkeypatch, name):
    manager = ProfileManager()
    manager.setup(file_path=tmp_path / "x.json", use_line_profiler=True)

    @manager.profile("été 日本 \x1b")
    def f():
        return "…"

    f()
    stream = STREAMS[name]()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr("sys.stderr", Broken() if name == "broken" else io.StringIO())
    results = manager.finalize(return_results=True)
    assert results["été 日本 \x1b"].num_calls == manager._run.results.region_names.__len__() == 1
    assert load(tmp_path / "x.json").region_names == results.region_names
    if isinstance(stream, io.TextIOWrapper):
        stream.flush()
        text = stream.buffer.getvalue().decode(stream.encoding)
        assert "Own overhead" in text and r"\x1b" in text
    manager.finalize(style="blocks")
    manager.reset()


FUNCTIONS = [
    (module, name)
    for module in (report, blocks, columns, line_table, notes, output, region_table, rows, style)
    for name, value in vars(module).items()
    if inspect.isroutine(value) and value.__module__ == module.__name__
    and name not in ("print_region", "show_one", "call_rows", "region_row", "add_calls",
                     "_statistics_of", "_ns", "_of_single")
]
METHODS = [(cls, name) for cls in (output.Output, region_table._Label, rows.Row)
           for name, value in vars(cls).items() if inspect.isfunction(value)]


@pytest.mark.parametrize("owner, name", FUNCTIONS + METHODS, ids=lambda what: getattr(
    what, "__name__", what))
def test_whatever_part_of_it_fails(tmp_path, monkeypatch, capsys, owner, name):
    def fails(*args, **kwargs):
        raise TypeError("'int' object is not\niterable")

    manager = ProfileManager()
    manager.setup(file_path=tmp_path / "x.json", use_line_profiler=True)

    @manager.profile("f")
    def f():
        with manager.profile_region("g"):
            pass

    f()
    monkeypatch.setattr(owner, name, fails)
    for shape in ("table", "blocks"):
        results = manager.finalize(return_results=True, style=shape)
        assert results.region_names == ["f", "g"]
        assert load(tmp_path / "x.json").region_names == ["f", "g"]
    monkeypatch.undo()
    printed = capsys.readouterr()
    for line in (printed.out + printed.err).splitlines():
        assert "Traceback" not in line
        if "not" in line and "iterable" in line:
            assert line.startswith("scope-profiler: ") and r"is not\niterable" in line
    manager.reset()


def test_a_closed_pipe_does_not_change_how_the_program_ends(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, scope_profiler as sp\n"
        "with sp.session(file_path='x.json', return_results=True) as run:\n"
        "    with sp.region('a'):\n"
        "        pass\n"
        "    print('begun', flush=True)\n"
        "    sys.stdin.readline()\n"
        "assert run.results['a'].num_calls == 1\n"
        "open('went_on', 'w').close()\n"
    )
    process = subprocess.Popen([sys.executable, program], cwd=tmp_path, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"begun\n"
    process.stdout.close()
    _, errors = process.stdin.write(b"\n"), process.stdin.close()
    errors = process.stderr.read().decode()
    assert process.wait() == 0, errors
    process.stderr.close()
    assert (tmp_path / "went_on").exists() and "a" in load(tmp_path / "x.json")
    assert errors.splitlines() == [
        "scope-profiler: the report could not be printed: BrokenPipeError: [Errno 32] Broken pipe"]


def test_an_interrupt_is_the_programs(run, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(region_table, "show", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.finalize()


# ---- What is shown of many rows


def test_an_idle_service_shows_its_longest_rows(manager, clock):
    for i in range(100):
        with manager.profile_region(f"region {i}"):
            clock.tick(i + 1)
    manager._run.start_time_ns, manager._run.finalize_time_ns = 0, 10**12
    lines = printed(manager).splitlines()
    names = [line.split("  ")[0] for line in lines if line.startswith("region")]
    assert names == [f"region {i}" for i in range(99, 39, -1)]
    assert any(line.startswith("… and 40 rows not shown") for line in lines)


def test_a_row_is_there_with_all_that_it_is_below(manager, clock):
    """Also where tasks overlap, so that a child took longer than what it is in."""
    for i in range(80):
        with manager.profile_region(f"quick {i}"), manager.profile_region("long"):
            clock.tick(10**6)
    manager._run.start_time_ns, manager._run.finalize_time_ns = 0, 10**12
    tree = take_snapshot(manager, results=False)
    for node in tree.recorded.nodes:
        if node.name.startswith("quick"):
            object.__setattr__(node.statistics, "total_ns", 1)
    stream = io.StringIO()
    print_run(tree, stream)
    lines = stream.getvalue().splitlines()[5:]
    assert sum(line.startswith("└─ long") for line in lines) == 60
    assert sum(line.startswith("quick") for line in lines) == 60


# ---- Its width


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 120, 200])
def test_the_table_fits_the_terminal(manager, clock, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    with ExitStack() as stack:
        for i in range(40):
            stack.enter_context(manager.profile_region(f"deep {i}"))
            clock.tick(10**6)
    for name in ("a" * 200, "日本語" * 30, "🎉" * 50, "short"):
        for i in range(12345):
            with manager.profile_region(name):
                clock.tick(12345)
    manager._run.start_time_ns, manager._run.finalize_time_ns = 0, clock.now
    lines = printed(manager, Terminal()).splitlines()
    rule = next(at for at, line in enumerate(lines) if line.startswith("──"))
    rows = lines[rule - 1 : rule + 46]
    assert max(map(cells, lines)) <= max(width, 36)
    assert max(map(cells, rows)) == cells(lines[rule]) <= max(width, 36)
    assert "Total" in rows[0]
    headings = rows[0].split()
    assert ("Std" in headings) == (width >= 200)
    assert ("Own" in headings) == (width >= 60)
    assert ("Max" in headings) == (width >= 80)
    assert ("p50" in headings) == (width >= 120)
    assert any("日…" in line or "語…" in line or "本…" in line for line in rows)


def test_every_column_where_there_is_no_terminal(run):
    assert printed(run).splitlines()[3].split()[-1] == "Std"


def test_columns_that_were_chosen_are_all_there(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    run.finalize(verbose=False, return_results=True).print_summary(
        stream=stream, columns=["region", "calls", "total", "own", "min", "max"])
    assert ["Region", "Calls", "Total", "Own", "Min", "Max"] in map(
        str.split, stream.getvalue().splitlines())


def test_lines_on_a_terminal_have_units(manager, clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    with open("f.py", "w") as file:  # a short path, wherever the checkout lies
        file.write("def f():\n    return 1\n")
    code = SimpleNamespace(co_filename="f.py", co_firstlineno=1, co_qualname="f", co_name="f")
    out = output.Output(Terminal())
    line_table.show(code, [(1, 1000, 2_500_000), (2, 3, 1_500_000_000)], out)
    out.deliver()
    lines = out._stream.getvalue().splitlines()
    assert "1 000" in lines[6] and "2.500 ms" in lines[6] and "2.500 µs" in lines[6]
    assert all(cells(line) <= 60 for line in lines)
    plain = io.StringIO()
    out = output.Output(plain)
    line_table.show(code, [(1, 1000, 2_500_000)], out)
    out.deliver()
    assert "Timer unit: 1e-09 s" in plain.getvalue()
    assert "2500000.0   2500.0    100.0" in plain.getvalue()


def test_lines_are_printed_when_they_ran(capsys):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, use_line_profiler=True)

    @manager.profile("f")
    def f():
        return 1

    @manager.profile("g")
    def g():
        return 2

    f()
    manager.finalize()
    assert "return 1" in capsys.readouterr().out
    g()
    manager.finalize()
    text = capsys.readouterr().out
    assert "return 2" in text and "return 1" not in text
    assert "The lines of 1 function that did not run since the last report are not" in text
    f()
    manager.finalize()
    text = capsys.readouterr().out
    assert "return 1" in text and "return 2" not in text
    manager.reset()


# ---- What single cells say


@pytest.mark.parametrize("part, whole, text", [
    (0, 10, "0.0"), (5, 10, "50.0"), (10, 10, "100.0"), (100_000_001, 100_000_000, "100.0"),
    (120, 10, "×12.0"), (11, 10, "×1.1"),
])
def test_shares(part, whole, text):
    assert format_share(part, whole) == text


def test_overlap_is_no_percentage(manager, clock):
    with manager.profile_region("a"):
        clock.tick(1000)
    manager._run.start_time_ns, manager._run.finalize_time_ns = 0, 100
    text = printed(manager)
    assert "×10.0" in text
    assert "×: the calls of a row ran at the same time" in text


def test_what_is_less_than_the_overhead_is_not_negative(manager, clock, monkeypatch):
    with manager.profile_region("a"):
        clock.tick(1)
    taken = take_snapshot(manager, results=False)
    object.__setattr__(taken.recorded.nodes[0].statistics, "corrected_exclusive_ns", -5)
    stream = io.StringIO()
    print_run(taken, stream)
    assert "< overhead" in stream.getvalue() and "-5" not in stream.getvalue()
    [one] = taken.regions
    object.__setattr__(one, "corrected_total_ns", -1)
    out = output.Output(io.StringIO())
    blocks.show_one(one, out)
    out.deliver()
    assert "Net of Overhead: < overhead in total" in out._stream.getvalue()


def test_an_open_region_shows_what_it_has_come_to(manager, clock):
    with manager.profile_region("main"):
        clock.tick(10)
        with manager.profile_region("child"):
            clock.tick(990)
        manager._run.start_time_ns, manager._run.finalize_time_ns = clock.now - 1000, clock.now
        text = printed(manager)
        results = take_snapshot(manager).results
        stats = manager.get_region("main").get_stats()
    main, child = (line.split() for line in text.splitlines()[5:7])
    assert main[:8] == ["main", "(open)", "0", "100.0", "1.000", "µs", "10", "ns"]
    assert main[10:] == ["–"] * 6
    assert child[:3] == ["└─", "child", "1"]
    assert "1 call still open: shown with what it has come to, counted when it ends." in text
    assert (stats.num_calls, stats.open_calls) == (0, 1)
    assert (stats.total_ns, stats.open_total_ns, stats.open_exclusive_ns) == (0, 1000, 10)
    stream = io.StringIO()
    results.print_summary(stream=stream)
    assert stream.getvalue().splitlines()[3:] == text.splitlines()[3:]


def test_open_calls_of_a_recursion_and_of_threads(manager, clock):
    with manager.profile_region("f"):
        clock.tick(5)
        with manager.profile_region("f"), manager.profile_region("g"):
            clock.tick(7)
            stats = manager.get_region("f").get_stats()
            assert (stats.open_calls, stats.open_total_ns, stats.open_exclusive_ns) == (2, 12, 5)
    with manager.profile_region("f"):
        clock.tick(1)
        stats = manager.get_region("f").get_stats()
        assert (stats.num_calls, stats.total_ns, stats.open_total_ns) == (2, 12, 1)
    assert manager.get_region("f").get_stats().open_total_ns == 0


def test_waiting_has_columns_where_there_is_any(manager):
    async def sleeps():
        await asyncio.sleep(0.001)

    manager.reset()
    _core._fake_clock(None)
    manager.setup(deactivate_file_output=True)
    with manager.profile_region("plain"):
        pass
    assert "Waiting" not in printed(manager)
    with manager.profile_region("open"):
        asyncio.run(manager.profile("sleeps")(sleeps)())
        lines = printed(manager).splitlines()
    head = next(line for line in lines if line.startswith("Region"))
    assert "Running" in head and "Waiting" in head
    row = next(line for line in lines if line.startswith("open"))
    assert "0 ns" not in row and row.count("–") > 2  # nothing was measured of it yet
    stream = io.StringIO()
    manager.finalize(verbose=False, return_results=True).print_summary(
        stream=stream, columns=["region", "running", "waiting"])
    assert "Running" in stream.getvalue()


# ---- Blocks


def test_blocks(run, monkeypatch, capsys):
    run.finalize(style="blocks")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:8] == [
        "Region: outer",
        "  Total Calls : 1",
        "  Total Time  : 0.0070005 s",
        "  Avg Time    : 0.0070005 s",
        "  Min Time    : 0.0070005 s",
        "  Max Time    : 0.0070005 s",
        "  Std Dev     : 0.0 s",
        "-" * 40,
    ]
    assert [line for line in lines if line.startswith("Region: ")] == [
        f"Region: {name}" for name in ("outer", "inner", "last", "beside")]


@pytest.mark.parametrize("style, error", [("rows", ValueError), (None, TypeError), (1, TypeError)])
def test_a_style_that_is_none(run, style, error, tmp_path):
    with pytest.raises(error, match="style takes 'table' or 'blocks', got "):
        run.finalize(style=style)
    assert run._run.finalize_time_ns == 10_000_000
    with pytest.raises(error, match="style takes"):
        run.session(style=style)


def test_help_reads_well():
    text = pydoc.render_doc(sp.region, renderer=pydoc.plaintext)
    assert "region(region_name, functions=None, tags=None, keep_every=None, keep=None)" in text
    assert "    region_name: " in text and "__call__" not in text
    text = pydoc.render_doc(sp.setup, renderer=pydoc.plaintext)
    assert "Begin a run; returns its ProfilingRun." in text and "    auto_finalize: " in text


def test_paths_that_are_not_told_apart_are_said(manager, clock, few_paths):
    import random

    chosen = random.Random(1)

    def go(depth):
        clock.tick(1)
        if depth:
            chosen.choice(functions)(depth - 1)

    functions = [manager.profile(f"f{number}")(lambda depth: go(depth)) for number in range(10)]
    with manager.profile_region("main"):
        for _ in range(500):
            go(14)
    text = printed(manager)
    assert "─ (other paths)" in text
    assert "(other paths): there were too many to tell them apart" in text


@pytest.mark.parametrize("lines", [False, True])
def test_a_terminal_is_told_the_next_commands(clock, monkeypatch, lines):
    manager = ProfileManager()
    texts = []
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stdout", stream)
        manager.setup(output="a run.json", use_line_profiler=lines, replace=True)
        with manager.profile_region("r"):
            clock.tick(5)
            assert stream is not None
        manager.finalize()
        texts.append(stream.getvalue())
    manager.reset()
    more = ", scope-profiler line-profile 'a run.json'" if lines else ""
    assert texts[0].endswith(
        f"\nNext: scope-profiler inspect 'a run.json', scope-profiler report 'a run.json'{more}\n")
    assert "\nNext: " not in texts[1]
