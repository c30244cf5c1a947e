"""plots/: every function draws every kind of run, as every kind of file, and leaves matplotlib as it was."""

import json
import sys
import warnings

import numpy as np
import pytest
from results_support import region, results

from scope_profiler import plots
from scope_profiler.plots.picture import duration_text, short
from scope_profiler.results import MPIRegion, ProfilingResults, Region, ThreadInfo

pytest.importorskip("matplotlib")

OF_ONE = ("plot_durations", "plot_gantt", "plot_flame", "plot_flame_chart", "plot_flame_graph",
          "plot_timeline_density", "plot_rank_heatmap", "plot_duration_timeseries",
          "plot_duration_histogram", "plot_imbalance")
OF_SEVERAL = ("plot_speedup", "plot_scaling_efficiency", "plot_weak_scaling",
              "plot_weak_scaling_efficiency")
HOSTILE = "$x_1^2$ </b> \n\x1b[31m 日本 \u202e " + "long " * 2000


def run(ranks=1, regions=("solve", "inner"), label="night"):
    found = {
        name: MPIRegion(name, {
            rank: region(*((1000 * call + 5 * at, 1000 * call + 900 - 5 * at) for call in range(5)))
            for rank in range(ranks)})
        for at, name in enumerate(regions)
    }
    return ProfilingResults(found, {"label": label}, num_ranks=ranks)


RUNS = {
    "no time": results(a=region((5, 5), (5, 5))),
    "names that are no names": run(1, (HOSTILE, "b")),
    "45 regions": run(1, [f"package.module.Class.method_{number}" for number in range(45)]),
    "overlapping": results(a=region((0, 10), (5, 20)), b=region((3, 12))),
    "threads": ProfilingResults(
        {"a": MPIRegion("a", {0: region((0, 9), (1, 8), thread_ids=[0, 1])})},
        threads={0: [ThreadInfo(index, 0, f"T{index}", 1, 1, False, 0, None, 1) for index in (0, 1)]}),
}


def is_png(path):
    with open(path, "rb") as file:
        return file.read(8) == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("function", OF_ONE)
@pytest.mark.parametrize("name", RUNS)
def test_every_run_is_drawn(function, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        getattr(plots, function)(RUNS[name], filepath="x.png", verbose=False)
    assert is_png("x.png")


@pytest.mark.parametrize("function", OF_ONE + OF_SEVERAL)
def test_several_runs_are_drawn_into_one_picture(function):
    runs = [run(ranks, label=f"r{ranks}") for ranks in (1, 2, 16)]
    getattr(plots, function)(runs, filepath="x.png", verbose=False)
    assert is_png("x.png")


@pytest.mark.parametrize("settings", [{}, {"compact": True}, {"fluid": True}])
@pytest.mark.parametrize("name", ["no time", "names that are no names", "45 regions"])
def test_call_graphs(name, settings):
    plots.plot_callgraph(RUNS[name], filepath="x.png", verbose=False, **settings)
    assert is_png("x.png")


@pytest.mark.parametrize("settings", [
    {"log_scale": True}, {"stack_children": True}, {"top_n": 1}, {"combine_regions": {"all": "."}}])
def test_bars(settings):
    plots.plot_durations([run(), run(2, label="other")], filepath="x.png", verbose=False, **settings)
    assert is_png("x.png")


def test_formats_and_that_equal_runs_make_equal_files():
    for end, begin in ((".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")):
        pictures = []
        for path in ("a" + end, "b" + end):
            plots.plot_gantt(run(), filepath=path, verbose=False)
            with open(path, "rb") as file:
                pictures.append(file.read())
        assert pictures[0] == pictures[1] and pictures[0].startswith(begin)


def test_text_in_pictures_is_what_it_is():
    plots.plot_durations(run(1, ("$x_1$", "</text><script>")), filepath="x.svg", verbose=False)
    with open("x.svg") as file:
        text = file.read()
    assert "$x_1$" in text and "&lt;/text&gt;&lt;script&gt;" in text and "<script" not in text


def test_values_returned(capsys):
    assert plots.plot_durations(run()) == [] and plots.plot_gantt(run()) is None
    assert plots.plot_durations(run(), metrics=["avg", "max"], filepath="x.png") == ["x_avg.png", "x_max.png"]
    assert capsys.readouterr().out == "Wrote x_avg.png\nWrote x_max.png\n"
    figure, axes = plots.plot_gantt(run(), return_fig=True)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["solve", "inner"]
    assert len(plots.plot_durations(run(), metrics=["avg", "max"], return_fig=True)) == 2
    _, axes = plots.plot_flame_chart(RUNS["threads"], return_fig=True)
    assert [one.get_title(loc="left") for one in axes] == [
        f"Calls along time, rank 0, T{index} – run" for index in (0, 1)]
    assert plots.collect_roofline_points(run()) == []


def test_matplotlib_is_as_it_was():
    import matplotlib
    from matplotlib import pyplot

    before = dict(matplotlib.rcParams)
    plots.plot_gantt(run(), filepath="x.png", verbose=False)
    assert dict(matplotlib.rcParams) == before and pyplot.get_fignums() == []


def test_shown_in_a_window(monkeypatch):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    seen = []
    monkeypatch.setattr(pyplot, "show", lambda: seen.append(pyplot.get_fignums()))
    plots.plot_gantt(run(), show=True)
    pyplot.close("all")
    assert seen == [[1]]


def test_a_million_calls_are_drawn_as_what_can_be_seen():
    number = 300_000
    starts = np.arange(number) * 1000
    calls = ProfilingResults({"a": MPIRegion("a", {0: Region(
        start_times_ns=starts, durations_ns=np.full(number, 900))})})
    figure, axes = plots.plot_gantt(calls, return_fig=True)
    assert sum(len(one.get_paths()) for one in axes.collections) < 3000
    figure, axes = plots.plot_flame_chart(calls, return_fig=True)
    assert sum(len(one.get_paths()) for one in axes.collections) < 3000


@pytest.mark.parametrize("function", OF_ONE + ("plot_callgraph",))
@pytest.mark.parametrize("settings, message", [
    ({"include": "nothing"}, "no region that was called matches; there are 'solve', 'inner'"),
    ({"backend": "plotly"}, "backend must be 'matplotlib'; got 'plotly'.*scope-profiler report"),
    ({"filepath": "x.bmp"}, "filepath must end in .png, .svg, .pdf; got 'x.bmp'"),
    ({"data_filepath": "x", "data_format": "xls"},
     "data_format must be one of csv, json, parquet; got 'xls'"),
])
def test_what_cannot_be_is_said(function, settings, message):
    with pytest.raises(ValueError, match=message):
        getattr(plots, function)(run(), **settings)


@pytest.mark.parametrize("call, message", [
    (lambda: plots.plot_gantt(3), "profiling_data must be ProfilingResults, one or several; got 3"),
    (lambda: plots.plot_gantt([]), "profiling_data must have at least one run"),
    (lambda: plots.plot_gantt(run(), ranks=7), r"ranks must be among those of the runs \(0\); got 7"),
    (lambda: plots.plot_gantt(run(), aggregate_calls=0), "aggregate_calls takes an int of at least 1"),
    (lambda: plots.plot_gantt(run(), start_time=2, end_time=1), r"end_time must be after start_time \(2 s\)"),
    (lambda: plots.plot_gantt(run(), cmap="x", return_fig=True), "cmap must be the name of a colormap"),
    (lambda: plots.plot_durations(run(), metric="p50"), "metrics must be of total, avg"),
    (lambda: plots.plot_durations(run(), metric="min", stack_children=True), "stack_children is for"),
    (lambda: plots.plot_durations(run(), sort_by="x"), "sort_by must be name or one of"),
    (lambda: plots.plot_durations(run(), top_n=0), "top_n must be"),
    (lambda: plots.plot_durations(run(), labels=["a", "b"]), "labels must be one for each of the 1 runs"),
    (lambda: plots.plot_durations(run(), combine_regions={"x": "("}), r"combine_regions\['x'\] must be"),
    (lambda: plots.plot_duration_histogram(run(), bins=0), "bins takes an int of at least 1"),
    (lambda: plots.plot_imbalance(run(), metric="p"), "metric must be one of avg"),
    (lambda: plots.plot_speedup(run()), "speedup compares runs: give at least two files"),
    (lambda: plots.plot_speedup([run(), run(2)], x_field="x"), "x_field must be a number in the metadata"),
    (lambda: plots.plot_weak_scaling_efficiency([run(), run(2)], work_per_rank=[1, 2]),
     "work_per_rank must be the same"),
    (lambda: plots.plot_weak_scaling_efficiency([run(), run(2)], work_per_rank=[1]),
     "work_per_rank must have one number"),
    (lambda: plots.plot_roofline(run()), "a roofline needs regions with work in 'flops' and 'bytes'"),
    (lambda: plots.plot_roofline(run(), peak_flops=0), "peak_flops must be a positive number"),
    (lambda: plots.plot_perf_events(run()), "a chart of ipc needs counters of perf events, which night"),
    (lambda: plots.plot_likwid(run(), "CPI"), "a chart of CPI needs LIKWID's counters"),
])
def test_bad_arguments(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match="pip install matplotlib"):
        plots.plot_gantt(run(), filepath="x.png")
    plots.plot_gantt(run(), data_filepath="x.csv", verbose=False)  # numbers are there without


def test_files_of_numbers():
    plots.plot_gantt(run(1, ("a, b",)), data_filepath="folder/x.csv", verbose=False)
    with open("folder/x.csv") as file:
        assert file.read().splitlines()[:2] == [
            "file,rank,region,start_seconds,end_seconds,depth", 'night,0,"a, b",0.0,9e-07,0']
    plots.plot_rank_heatmap(run(), data_filepath="x.json", data_format="json", verbose=False)
    with open("x.json") as file:
        document = json.load(file)
    assert document["plot"] == "rank_heatmap" and document["points"][0] == {
        "file": "night", "rank": 0, "region": "solve", "total_duration_seconds": 4.5e-06}
    pyarrow = pytest.importorskip("pyarrow.parquet")
    plots.plot_gantt(run(), data_filepath="x.parquet", data_format="parquet", verbose=False)
    assert pyarrow.read_table("x.parquet").num_rows == 10


def test_names_and_durations_as_text():
    assert short("x" * 100, 9) == "xxxx…xxxx" and short("a\nb") == "a\\nb"
    assert [duration_text(one) for one in (0, 5e-10, 2.5e-6, 0.0123, 1234.5)] == [
        "0 ns", "0.5 ns", "2.5 µs", "12.3 ms", "1.23e+03 s"]
