"""The HTML report as a file: its numbers, its text, what it takes, and what it says where it cannot be."""

import csv
import io
import json
import os
import re
import subprocess
import sys

import numpy as np
from html_pages import NASTY, Page, recorded, results_with
from profiles import a_run, printed
import pytest

import scope_profiler as sp
from scope_profiler._base import needs
from scope_profiler.cli import main
from scope_profiler._model.counter_values import CounterValues
from scope_profiler.html import table_cells
from scope_profiler.html.counter_data import counter_data, left_out
from scope_profiler.results import ProfilingResults


@pytest.fixture(autouse=True)
def packages():
    pytest.importorskip("jinja2")
    if not needs.is_there("plotly"):
        pytest.skip("needs plotly")


def shown_by_inspect(monkeypatch, path, *words):
    text, _ = printed(monkeypatch, "inspect", path, "--csv", *words)
    return [*csv.DictReader(io.StringIO(text))]


# ---- The numbers


@pytest.mark.parametrize("make", [a_run, recorded])
def test_the_numbers_are_those_of_inspect(monkeypatch, make, tmp_path):
    path = make()
    page = Page(sp.load(path).to_html(tmp_path / "x.html"))
    columns = {"Calls": "calls", "% run": "percent", "Total": "total", "Own": "own", "Average": "avg",
               "p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99", "p99.9": "p999", "Max": "max"}
    for table, words in (("regions flat", ["--flat"]), ("regions tree", [])):
        text, _ = printed(monkeypatch, "inspect", path, *words, "--regions-only", "--all",
                          "--columns", "region", *columns.values())
        lines = text.splitlines()
        rows = [line.replace("└─", " ").replace("├─", " ") for line in lines[5:] if line.strip()]
        heads, *found = page.tables[table][0]
        for row, printed_row in zip(found, rows):
            cells = [row[0], *(row[heads.index(column)] for column in columns)]
            assert " ".join(" ".join(cells).split()) == " ".join(printed_row.split())
        assert len(found) == len({row[0] for row in found}) == 3 or make is recorded


def test_what_tables_are_sorted_by_are_the_nanoseconds_of_inspect(monkeypatch, tmp_path):
    path = a_run()
    page = Page(sp.load(path).to_html(tmp_path / "x.html"))
    values = [attrs.get("data-v") for tag, attrs in page.tags if tag == "td" and "data-v" in attrs]
    for row in shown_by_inspect(monkeypatch, path, "--flat"):
        for column in ("total_ns", "own_ns", "p99_ns", "max_ns", "calls"):
            assert row[column] in values


def test_regions_and_ranks_are_chosen(tmp_path):
    results = sp.load(a_run())
    page = Page(results.to_html(tmp_path / "x.html", include="in|se", ranks=0))
    assert page.column("Calls") == {"inner": "2", "setup": "1"}
    assert page.column("Calls", "regions tree") == {"inner": "2", "setup": "1"}
    page = Page(results.to_html(tmp_path / "x.html", sort="name"))
    assert [*page.column("Calls")] == ["inner", "setup", "solve"]


def test_a_run_without_a_call(tmp_path):
    page = Page(ProfilingResults({}).to_html(tmp_path / "x.html"))
    assert "No region was entered." in page.text and not page.tables.get("regions flat")


def test_of_many_rows_those_are_left_out_that_took_least(monkeypatch, tmp_path):
    monkeypatch.setattr(table_cells, "MOST_ROWS", 20)
    results = results_with(*(f"region {number}" for number in range(24)))
    page = Page(results.to_html(tmp_path / "x.html"))
    rows = page.tables["regions flat"][0][1:]
    assert len(rows) == 20 and rows[0][0] == "region 0"
    assert "4 rows of those that took least are not shown" in page.text


def test_threads_tasks_and_metadata(tmp_path):
    page = Page(sp.load(a_run()).to_html(tmp_path / "x.html"))
    assert page.tables["regions"][0][1][:3] == ["MainThread", "0", "40.00 µs"]
    assert page.tables["regions"][1][1][0] == "Task-1 (main)"
    assert ["label", "night"] in page.tables["facts-table"][0]


def test_lines(tmp_path, monkeypatch):
    (tmp_path / "program.py").write_text(
        "import scope_profiler as sp\n@sp.profile\ndef work(n):\n    # <b>a & b</b>\n"
        "    for i in range(n):\n        x = '</td>' * i\n    return x\nwork(40)\n")
    done = subprocess.run([sys.executable, "-m", "scope_profiler", "run", "-q", "--line-profile",
                           "-o", "l.json", "program.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = Page(sp.load("l.json").to_html(tmp_path / "x.html"))
    heads, *rows = page.tables["lines"][0]
    source, hits = heads.index("Contents"), heads.index("Hits")
    assert {row[0]: row[hits] for row in rows} == {"2": "", "3": "", "4": "", "5": "41", "6": "40", "7": "1"}
    assert [row[source] for row in rows][3:5] == ["for i in range(n):", "x = '</td>' * i"]
    kinds = {attrs.get("class") for tag, attrs in page.tags if tag == "span"}
    assert {"keyword", "builtin", "text", "comment"} <= kinds
    text, _ = printed(monkeypatch, "line-profile", "l.json")
    assert all(row[hits] in text for row in rows)


def test_memory_is_that_of_inspect(monkeypatch, tmp_path):
    manager = sp.ProfileManager()
    manager.setup(file_path="m.json", memory=True, verbose=False)
    with manager.profile_region("outer"):
        kept = [bytes(10_000)]
        with manager.profile_region("inner"):
            kept.append(bytes(3_000))
    manager.finalize()
    manager.reset()
    page = Page(sp.load("m.json").to_html(tmp_path / "x.html"))
    _, *rows = page.tables["regions memory"][0]
    assert [row[0] for row in rows] == ["outer", "outer › inner"]
    text, _ = printed(monkeypatch, "inspect", "m.json", "--regions-only", "--columns", "region", "calls",
                      "allocated", "freed", "peak", "allocations", "frees")
    for row, line in zip(rows, text.splitlines()[5:]):
        assert row[2:] == re.split(r"  +", line.strip())[1:]
    assert "memory-0" not in Page(sp.load(a_run()).to_html(tmp_path / "y.html")).text


# ---- The text


def test_names_are_text_whatever_they_are(tmp_path):
    results = results_with(*NASTY)
    results.label = NASTY[0]
    page = Page(results.to_html(tmp_path / "x.html", title=NASTY[0]))
    names = {row[0] for row in page.tables["regions flat"][0][1:]}
    assert names == {sp._base.shown.shown(name).strip() for name in NASTY}
    assert {"img", "b"} & {tag for tag, _ in page.tags} <= {"b"}
    scripts = sum(tag == "script" for tag, _ in page.tags)
    assert page.text.count("<script") == page.text.count("</script>") == scripts
    data = page.text.partition('id="data">')[2].partition("</script>")[0]
    assert json.loads(data)["runs"][0]["names"] and "<" not in data


def test_nothing_is_asked_of_a_server(tmp_path):
    page = Page(sp.load(a_run()).to_html(tmp_path / "x.html"))
    assert page.text.startswith("<!DOCTYPE html>")
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv"))
    assert "default-src 'none'" in policy and "http" not in policy
    for tag, attrs in page.tags:
        assert not ({"src", "action"} & attrs.keys()), tag
        assert tag != "link" and attrs.get("href", "#").startswith("#")


# ---- Ways to it


def test_the_command(tmp_path, capsys):
    a_run(), a_run("other.json")
    assert main(["report", "run.json"]) in (0, None)
    assert capsys.readouterr().out == "Wrote run.html\n"
    os.mkdir("folder")
    assert main(["report", "run.json", "other.json", "-o", "folder", "--title", "Both", "--sort", "name",
                 "--include", "solve", "inner", "--ranks", "0"]) in (0, None)
    page = Page(tmp_path / "folder/run.html")
    assert "<title>Both</title>" in page.text and len(page.tables["regions flat"]) == 2
    assert page.column("Calls") == {"inner": "2", "solve": "1"}


@pytest.mark.parametrize("words, message", [
    (["missing.json"], "Error: missing.json: there is no such file"),
    (["run.json", "-o", "run.json"], "Error: run.json: it would be written over"),
    (["run.json", "--sort", "size"], "Error: sort takes "),
    (["run.json", "--ranks", "x"], "takes ranks such as 0, 0,2 or 0-3"),
    (["run.json", "--include", "("], "Error: include takes regular expressions"),
])
def test_what_the_command_refuses(words, message, capsys):
    a_run()
    assert main(["report", *words]) == 2
    assert message in capsys.readouterr().err
    assert not os.path.exists("run.html")


def test_run_and_export_write_it_by_its_name(tmp_path):
    (tmp_path / "program.py").write_text("import scope_profiler as sp\nwith sp.region('here'): pass\n")
    done = subprocess.run([sys.executable, "-m", "scope_profiler", "run", "-o", "x.html", "program.py"],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "x.html (" in done.stdout, done.stderr
    assert Page(tmp_path / "x.html").column("Calls") == {"here": "1"}
    assert main(["export", a_run(), "-o", "y.HTM"]) in (0, None)
    assert Page(tmp_path / "y.HTM").column("Calls")["solve"] == "2"
    [path] = sp.load("run.json").export("z.html", include="solve")
    assert Page(path).column("Calls") == {"solve": "2"}
    with pytest.raises(sp.UnsupportedProfileError, match="HTML"):
        sp.load("x.html")


@pytest.mark.parametrize("name", ["jinja2", "plotly"])
def test_what_is_missing_is_said_before_anything_is_recorded(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "scope_profiler.html.page", raising=False)
    message = f"HTML reports need {name}, which is not installed: pip install 'scope-profiler\\[html\\]'"
    with pytest.raises(ModuleNotFoundError, match=message):
        sp.load(a_run()).to_html("x.html")
    with pytest.raises(ValueError, match=f"^file_path='x.html': {message}"):
        sp.ProfileManager().setup(file_path="x.html")
    assert not os.path.exists("x.html")


@pytest.mark.parametrize("how, error", [
    ({"path": 3}, TypeError), ({"others": [3]}, TypeError), ({"title": 3}, TypeError),
    ({"sort": "size"}, ValueError), ({"ranks": "x"}, TypeError), ({"include": "("}, ValueError),
])
def test_bad_arguments(how, error):
    with pytest.raises(error, match=[*how][0]):
        sp.load(a_run()).to_html(**{"path": "x.html", **how})
    assert not os.path.exists("x.html")


# ---- finalize(report_file=)


def test_finalize_writes_a_report_beside_the_file(tmp_path, capsys):
    manager = sp.ProfileManager()
    manager.setup(file_path="x.json", report_file="{run}.html")
    with manager.profile_region("here"):
        pass
    manager.finalize()
    [page] = tmp_path.glob("*.html")
    assert Page(page).column("Calls") == {"here": "1"} and f"Written: {page}" in capsys.readouterr().out
    with manager.profile_region("here"):
        pass
    manager.finalize(verbose=False, report_file="other.htm")
    assert Page(tmp_path / "other.htm").column("Calls") == {"here": "2"}
    assert Page(page).column("Calls") == {"here": "1"}
    manager.finalize(verbose=False)  # a checkpoint takes the place of the one before
    assert Page(page).column("Calls") == {"here": "2"} and len([*tmp_path.glob("*.htm*")]) == 2
    manager.reset()


def test_a_report_is_written_where_nothing_else_is(tmp_path):
    with sp.ProfileManager().session(output=None, report_file="x.html", verbose=False):
        pass
    assert Page(tmp_path / "x.html").column("Calls") == {"scope_profiler.session": "1"}


def test_each_part_has_its_report(tmp_path):
    manager = sp.ProfileManager()
    manager.setup(output=None, verbose=False)
    for name in ("first", "second"):
        with manager.profile_region(name):
            pass
        manager.finalize(start_over=True, report_file="x.html")
    manager.reset()
    assert Page(tmp_path / "x.html").column("Calls") == {"first": "1"}
    assert Page(tmp_path / "x-2.html").column("Calls") == {"second": "1"}


def test_run_writes_a_report(tmp_path):
    (tmp_path / "program.py").write_text(
        "import os, scope_profiler as sp\nwith sp.region('here'): pass\nos.mkdir('sub'); os.chdir('sub')\n")
    done = subprocess.run([sys.executable, "-m", "scope_profiler", "run", "-q", "--report", "x.html",
                           "program.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Page(tmp_path / "x.html").column("Calls") == {"here": "1"}


@pytest.mark.parametrize("path, error, message", [
    ("x.svg", ValueError, "^report_file='x.svg': it takes a name in .html"), (3, TypeError, "^report_file"),
    ("{what}.html", ValueError, "has a field in braces that is not known"),
])
def test_where_a_report_cannot_go(path, error, message):
    manager = sp.ProfileManager()
    with pytest.raises(error, match=message):
        manager.setup(report_file=path)
    manager.setup(output=None, verbose=False)
    with pytest.raises(error, match=message):
        manager.finalize(report_file=path)
    manager.reset()


# ---- Slowest calls, and the comparison


def test_the_slowest_calls_are_those_of_inspect(monkeypatch, tmp_path):
    path = a_run()
    page = Page(sp.load(path).to_html(tmp_path / "x.html"))
    text, _ = printed(monkeypatch, "inspect", path, "--region", "solve", "--slowest", "2")
    heads, *rows = page.tables["inside"][0]
    assert heads == ["Region", "Calls", "% parent", "Total", "Own"] and rows[0][0] == "solve"
    for row in rows:
        assert " ".join(row) in " ".join(text.replace("└─", "").split())
    assert "step</bdi>: <bdi>1" in page.text and "1. 50.00 µs, 10.00 µs after the begin" in page.text


def test_the_comparison_is_that_of_diff(monkeypatch, tmp_path):
    first, second = a_run("a.json"), a_run("b.json")
    page = Page(sp.load(first).to_html(tmp_path / "x.html", others=[sp.load(second)]))
    heads, *rows = page.tables["regions changes"][0]
    text, _ = printed(monkeypatch, "diff", first, second)
    assert heads[2:] == ["Calls", "Before", "After", "Change", "99 % interval", "Verdict"]
    for row in rows:
        assert " ".join([row[0], *row[2:]]) in " ".join(text.split())


# ---- Counters and work


def with_counters(path, rate=1):
    manager = sp.ProfileManager()
    manager.setup(file_path=str(path), verbose=False)
    with manager.profile_region("solve") as solve:
        solve.add(flops=1000 * rate)
        for number in range(5000):
            manager.counter("</script><b>many", number)
        for value in (3, float("nan"), float("inf"), 0.5):
            manager.counter("few", value)
    manager.finalize()
    return sp.load(path)


def test_counters_and_rates_of_work(tmp_path):
    first, second = with_counters(tmp_path / "x.json"), with_counters(tmp_path / "y.json", 1000)
    page = Page(first.to_html(tmp_path / "x.html", others=[second]))
    _, *rows = page.tables["regions"][0]
    assert [row[:4] for row in rows] == [["</script><b>many", "5 000", "0", "4999"], ["few", "4", "3", "0.5"]]
    data = json.loads(re.search(r'id="data">(.*?)</script>', page.text)[1])["runs"][0]["counters"]
    many, few = (each["curves"][0] for each in data)
    assert [each["name"] for each in data] == ["</script><b>many", "few"]
    assert len(many["time"]) == len(many["least"]) == len(many["most"]) == 2000
    assert many["least"][0] == 0 and many["most"][-1] == 4999 and many["time"] == sorted(many["time"])
    assert few["least"] == [3, None, None, 0.5] and "most" not in few and 0 < few["time"][0] < 10
    heads, row = page.tables["regions work"][0]
    assert heads == ["Region", "Work", "Before", "After", "Rate before", "Rate after", "Change"]
    assert row[:4] == ["solve", "flops", "1000", "1.000 M"] and row[-1].endswith("%")
    assert "flops/s" in page.tables["regions flat"][0][0]


def test_more_counters_and_ranks_than_are_drawn(tmp_path):
    counters = {f"c{number}": {rank: CounterValues(np.array([1]), np.array([2.0]), np.array([0]))
                               for rank in range(30)} for number in range(20)}
    assert left_out(counters) == "8 of 20 counters and 10 of 30 ranks" and left_out({}) == ""
    drawn = counter_data(results_with("a"), counters)
    assert len(drawn) == 12 and {len(each["curves"]) for each in drawn} == {20}
