"""cli/plot: scope-profiler plot, as a shell sees it."""

import os
import subprocess
import sys

import pytest
from profiles import a_run, check_golden, printed

pytest.importorskip("matplotlib")


def plot(*words):
    return subprocess.run([sys.executable, "-m", "scope_profiler", "plot", *words], capture_output=True,
                          text=True, encoding="utf-8")


def begin(path):
    with open(path, "rb") as file:
        return file.read(4)


def test_charts_are_written_where_is_said():
    a_run("a.json")
    done = plot("a.json")
    assert (done.returncode, done.stdout, done.stderr) == (
        0, "Wrote durations_plot.png\nWrote gantt_plot.png\n", "")
    assert begin("gantt_plot.png") == b"\x89PNG"
    done = plot("histogram", "a.json", "-o", "out/", "--format", "pdf", "-q")
    assert (done.returncode, done.stdout) == (0, "") and begin("out/histogram_plot.pdf") == b"%PDF"


def test_all_charts_of_one_run_and_of_several(monkeypatch):
    for name in "ab":
        a_run(f"{name}.json")
    text, status = printed(monkeypatch, "plot", "all", "a.json", "-o", "one", "--format", "csv")
    assert not status and sorted(os.listdir("one")) == sorted(
        f"{kind}_plot.csv" for kind in (
            "gantt density flame_chart flame_graph callgraph durations timeseries rank_heatmap histogram "
            "imbalance").split())
    text, status = printed(monkeypatch, "plot", "all", "a.json", "b.json", "-o", "two", "--label", "x",
                           "--label", "y")
    assert not status and len(os.listdir("two")) == 15 and "Wrote two/callgraph_plot_2.png\n" in text


def test_options_reach_the_chart(monkeypatch):
    a_run("a.json")
    printed(monkeypatch, "plot", "durations", "a.json", "--metrics", "avg", "max", "--sort-by", "name",
            "--combine-regions", "both=in.*,set", "-o", "x.csv", "-i", "in", "setup", "-r", "0",
            "--label", "name")
    with open("x.csv") as file:
        assert file.read().splitlines() == [
            "file,region,metric,value_seconds", "name,both,avg,1.0666666666666666e-05",
            "name,both,max,2e-05"]
    printed(monkeypatch, "plot", "gantt", "a.json", "-o", "x.json", "--exclude", "solve", "inner")
    with open("x.json") as file:
        assert file.read().count('"setup"') == 2


def test_without_warm_up(monkeypatch):
    printed(monkeypatch, "plot", "timeseries", a_run("a.json"), "-o", "x.csv", "--skip-first", "1")
    with open("x.csv") as file:
        assert [line.split(",")[1] for line in file.read().splitlines()] == ["region", "inner"]


@pytest.mark.parametrize("words, message", [
    (["missing.h5"], "missing.h5: there is no such file"),
    (["gant", "a.json"], "there is neither a chart nor a file 'gant'; `scope-profiler plot list`"),
    (["gantt"], "plot gantt takes a file of results"),
    (["gantt", "a.json", "--bins", "3"], "--bins is not for gantt"),
    (["a.json", "-o", "x.png"], "--output has to be a folder for several charts"),
    (["gantt", "a.json", "-o", "x.png", "--format", "png"], "and where there is --format"),
    (["gantt", "a.json", "--label", "a", "--label", "b"],
     "--label has to be given once for each of the 1 files"),
    (["gantt", "a.json", "--backend", "plotly"], "backend must be 'matplotlib'; got 'plotly'"),
    (["gantt", "a.json", "-i", "nothing"], "no region that was called matches; there are 'solve', 'inner'"),
    (["speedup", "a.json"], "speedup compares runs: give at least two files"),
    (["roofline", "a.json"], "a roofline needs regions with work in 'flops' and 'bytes'"),
    (["perf_events", "a.json", "--metric", "ipc"], "a chart of ipc needs counters of perf events"),
    (["durations", "a.json", "--combine-regions", "x"], "takes NAME=REGEX"),
    (["callgraph", "a.json", "-r", "0-1"], "callgraph is of one rank"),
    (["gantt", "text.json"], "text.json:"),
])
def test_what_cannot_be_is_one_line(monkeypatch, words, message, capsys):
    a_run("a.json")
    with open("text.json", "w") as file:
        file.write("no profile")
    before = sorted(os.listdir())
    assert printed(monkeypatch, "plot", *words)[1] == 2
    error = " ".join(capsys.readouterr().err.split())
    assert message in error and "Traceback" not in error and sorted(os.listdir()) == before


def test_without_matplotlib_it_says_what_to_install(monkeypatch, capsys):
    a_run("a.json")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert printed(monkeypatch, "plot", "a.json")[1] == 2
    assert "pip install matplotlib" in capsys.readouterr().err


def test_the_list_of_charts(monkeypatch):
    check_golden(monkeypatch, "plot-list", "plot", "list")
