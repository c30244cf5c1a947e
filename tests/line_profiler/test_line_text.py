"""line_profiler/text.py: the table of line_profiler, character for character."""

import io
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

import line_text_reference as reference
from peer import MISSING, python_with
from scope_profiler.line_profiler import LineStats, show_func, show_text
from scope_profiler.line_profiler.text import get_code_block, get_column_widths, is_generated_code
from scope_profiler.report import line_table
from scope_profiler.report.output import Output


@pytest.fixture(autouse=True)
def files(tmp_path):
    reference.write_files(tmp_path)
    return tmp_path


# ---- As line_profiler prints it


def recorded():
    return json.loads(reference.TEXTS_FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", recorded(), ids=lambda case: str(case["options"])[:40])
def test_as_it_is_written_down(case):
    assert reference.text_of("scope_profiler.line_profiler", case) == case["text"]


@pytest.mark.parametrize("seed", range(3))
def test_as_line_profiler_prints_it(seed):
    python = python_with("line_profiler")
    if python is None:
        pytest.skip(f"{MISSING}: compared with line_texts.json alone")
    done = subprocess.run([python, reference.__file__, str(seed), "100"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for case in json.loads(done.stdout):
        assert reference.text_of("scope_profiler.line_profiler", case) == case["text"]


def text_of(key, rows, **options):
    stream = io.StringIO()
    show_func(*key, rows, 1e-9, stream=stream, **options)
    return stream.getvalue()


def test_lines_without_hits_have_no_time_per_hit():
    text = text_of(("program.py", 1, "short"), [(2, 0, 5)])
    assert "     2         0          5.0             100.0      return 1" in text.splitlines()


def test_the_layout_is_that_of_the_report():
    rows = [(2, 1000, 2_500_000), (1, 1, 10**16)]
    stream = io.StringIO()
    out = Output(stream)
    line_table.show(SimpleNamespace(co_filename="program.py", co_firstlineno=1, co_qualname="short",
                                    co_name="short"), rows, out)
    out.deliver()
    ours = io.StringIO()
    show_text({("program.py", 1, "short"): rows}, 1e-9, stream=ours)
    assert [line.rstrip() for line in ours.getvalue().rstrip().splitlines()] == (
        stream.getvalue().strip().splitlines())


def test_widths_of_columns_are_at_least_those_given():
    with open("x.toml", "w") as file:
        file.write("[tool.line_profiler.show.column_widths]\nhits = 12\ntime = 3\n")
    assert get_column_widths("x.toml")["hits"] == 12 and get_column_widths()["hits"] == 9
    wide = text_of(("program.py", 1, "short"), [(2, 1, 5)], config="x.toml")
    assert "     2            1          5.0      5.0    100.0      return 1" in wide.splitlines()


def test_blocks_of_code():
    assert get_code_block("program.py", 1) == ["def short():\n", "    return 1\n"]
    for file, first, name, lines in reference.FUNCTIONS[:-3]:
        assert len(get_code_block(file, first)) == lines, name
    assert get_code_block("gone.py", 1) == []


@pytest.mark.parametrize("name, generated", [
    ("<ipython-input-3-abc>", True), ("<generated>", True), ("<string>", False), ("a.py", False)])
def test_generated_code(name, generated):
    assert is_generated_code(name) is generated


def test_where_the_stream_lacks_characters():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    show_text({("program.py", 22, "Thing.method"): [(23, 1, 1)]}, 1e-9, stream=stream)
    stream.flush()
    assert rb'return "pr\xf6gramm \u2013 ' in raw.getvalue()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_nothing_from_a_file_controls_a_terminal(tmp_path):
    key = ("\x1b[2J.py", 1, "f\nroot: ")
    stats = LineStats({key: [(1, 1, 1)]}, 1e-9, sources={key: ["\x1b]0;title\x07\tx = 1\n"]})
    stream = Terminal()
    stats.print(stream, summarize=True)
    assert "\x1b" not in stream.getvalue() and "\x07" not in stream.getvalue()
    assert "\\x1b]0;title" in stream.getvalue() and "\nroot" not in stream.getvalue()


def test_a_program_without_a_console(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    show_text({}, 1e-9)
    show_func("program.py", 1, "short", [(2, 1, 1)], 1e-9)


def test_coloured_with_rich():
    pytest.importorskip("rich")
    text = text_of(("program.py", 1, "short"), [(2, 1, 5)], rich=True)
    assert "return" in text and "Line Contents" in text


def test_plain_without_rich(monkeypatch):
    for name in ("rich", "rich.console"):
        monkeypatch.setitem(sys.modules, name, None)
    stats = LineStats({("program.py", 1, "short"): [(2, 1, 5)]}, 1e-9)
    texts = []
    for rich in (True, False):
        stream = io.StringIO()
        stats.print(stream, summarize=True, rich=rich)
        texts.append(stream.getvalue())
    assert texts[0] == texts[1]


# ---- Where the source is another one, or gone


def test_a_file_that_changed_unnoticed_is_not_shown_for_another(tmp_path):
    (tmp_path / "changed.py").write_text("def other():\n    return 'after'\n")
    text = text_of(("changed.py", 1, "f"), [(2, 7, 9)])
    assert "after" not in text and "not there any more" in text
    assert "     2         7          9.0      1.3    100.0" in text


def test_a_cell_whose_source_is_gone_has_its_times():
    text = text_of(("<ipython-input-9-ab>", 1, "f"), [(3, 2, 5)])
    assert "not there any more" in text
    assert text.splitlines()[-2].split() == ["3", "2", "5.0", "2.5", "100.0"]


def test_sources_that_are_given_are_shown():
    key = ("program.py", 1, "short")
    stream = io.StringIO()
    show_text({key: [(2, 1, 5)]}, 1e-9, stream=stream, sources={key: ["given:\n", "    this\n"]})
    assert "    this\n" in stream.getvalue() and "return" not in stream.getvalue()
