"""plots/: the numbers in charts are those of 0.7.5, on files that 0.7.5 wrote. Matplotlib and the package
with which 0.7.5 draws are not needed for that: objects that do nothing stand in for them."""

import json
import subprocess

import peer
import pytest
from conftest import NEEDS_H5PY

import scope_profiler as sp
from scope_profiler import plots

PEER = peer.python_with("scope_profiler")
pytestmark = [NEEDS_H5PY, pytest.mark.skipif(PEER is None, reason=peer.MISSING)]

#: By chart: the function, how many of the files it gets, and arguments.
CHARTS = {
    "durations": ("plot_durations", 3, {"metrics": ["total", "avg", "min", "max", "first", "last"]}),
    "labels": ("plot_durations", 3, {"labels": ["a", "b", "c"], "sort_by": "total", "top_n": 2}),
    "names": ("plot_durations", 1, {"sort_by": "name"}),
    "groups": ("plot_durations", 1, {"combine_regions": {"x": ["in.*", "io"]}, "metric": "avg"}),
    "stacked": ("plot_durations", 1, {"stack_children": True}),
    "stacked mean": ("plot_durations", 1, {"stack_children": True, "metric": "avg", "include": "s"}),
    "stacked groups": ("plot_durations", 1, {"stack_children": True, "combine_regions": {"x": "in.*"}}),
    "twice": ("plot_durations", 1, {"twice": True}),
    "gantt": ("plot_gantt", 3, {}),
    "gantt of some": ("plot_gantt", 1, {"include": "io", "ranks": [1, 2]}),
    "gantt of a part": ("plot_gantt", 1, {"start_time": 0.002, "end_time": 0.003, "aggregate_calls": 3}),
    "flame chart": ("plot_flame_chart", 3, {}),
    "flame chart of some": ("plot_flame_chart", 1, {"include": "i.*"}),
    "flame chart of a rank": ("plot_flame_chart", 1, {"ranks": 1}),
    "flame graph": ("plot_flame_graph", 3, {}),
    "flame graph of ranks": ("plot_flame_graph", 1, {"ranks": [1, 2]}),
    "series": ("plot_duration_timeseries", 3, {}),
    "series of some": ("plot_duration_timeseries", 1, {"include": "io", "ranks": [1]}),
    "heat map": ("plot_rank_heatmap", 3, {}),
    "heat map of own time": ("plot_rank_heatmap", 1, {"exclusive": True}),
    "speed-up": ("plot_speedup", 3, {}),
    "speed-up of a rank": ("plot_speedup", 3, {"include": "solve", "ranks": [0]}),
    "efficiency": ("plot_scaling_efficiency", 3, {}),
    "weak scaling": ("plot_weak_scaling", 3, {}),
    "weak efficiency": ("plot_weak_scaling_efficiency", 3, {"work_per_rank": [2, 2, 2]}),
    "histogram": ("plotting_scripts.histogram.plot_duration_histogram", 3, {}),
    "bins": ("plotting_scripts.histogram.plot_duration_histogram", 1, {"bins": 7, "exclude": "io"}),
    "imbalance": ("plotting_scripts.imbalance.plot_imbalance", 3, {}),
    "imbalance of means": ("plotting_scripts.imbalance.plot_imbalance", 1, {"metric": "avg"}),
    "density": ("plotting_scripts.timeline.plot_timeline_density", 3, {}),
    "density of some": ("plotting_scripts.timeline.plot_timeline_density", 1, {
        "include": "io", "ranks": [1]}),
    "density of a part": ("plotting_scripts.timeline.plot_timeline_density", 1, {
        "start_time": 0.002, "end_time": 0.003, "min_duration": 0.0002, "bins": 20}),
    "call graph": ("plotting_scripts.callgraph.plot_callgraph", 0, {}),
    "call graph of some": ("plotting_scripts.callgraph.plot_callgraph", 0, {
        "include": "io|solve", "rank": 2}),
    "call graph of regions": ("plotting_scripts.callgraph.plot_callgraph", 0, {"compact": True}),
}
#: What the peer's data has besides: colours, and text for its pages.
ITS_OWN = {"colors", "summary", "source"}

PROGRAM = """
import importlib, json, sys
from unittest.mock import MagicMock
import numpy as np

for name in ("maxplotlib", "matplotlib", "matplotlib.pyplot", "matplotlib.colors", "matplotlib.patches"):
    sys.modules[name] = MagicMock()
def color(x=0, *_):
    return np.tile([0, 0, 0, 1.0], (np.size(x), 1)) if np.ndim(x) else (0, 0, 0, 1.0)
pyplot = sys.modules["matplotlib.pyplot"]
sys.modules["matplotlib"].pyplot = pyplot
pyplot.get_cmap = lambda *_: color
pyplot.subplots = lambda *_, **__: (MagicMock(), MagicMock())
import scope_profiler as sp
from scope_profiler import MPIRegion, ProfilingResults, Region

def run(ranks):
    random = np.random.default_rng(ranks)
    columns = {name: {} for name in ("step", "solve", "inner", "io")}
    for rank in range(ranks):
        now, calls = 10**9 + rank * 10**5, {name: ([], []) for name in columns}
        def call(name, start, end):
            calls[name][0].append(start)
            calls[name][1].append(end)
        for step in range(20):
            begin, length = now, int(2e6 / ranks * (1 + 0.3 * random.random() + 0.2 * rank))
            call("solve", now + 1000, now + 1000 + length)
            for part in range(2):
                start = now + 2000 + part * length // 3
                call("inner", start, start + length // 4)
            now += length + 1500
            if step % 4 == 0:
                call("io", now, now + 400_000)
                now += 410_000
            now += 700
            call("step", begin, now)
            now += 3000
        for name, (starts, ends) in calls.items():
            columns[name][rank] = Region(start_times=np.array(starts), end_times=np.array(ends))
    metadata = {"label": f"r{ranks}", "mpi_size": str(ranks), "start_time_ns": "900000000"}
    return ProfilingResults({name: MPIRegion(name, by_rank) for name, by_rank in columns.items()},
                            metadata=metadata, num_ranks=ranks)

paths = [f"ranks{ranks}.h5" for ranks in (4, 1, 2)]
for path, ranks in zip(paths, (4, 1, 2)):
    sp.write_profile(run(ranks), path)
runs = [sp.load(path) for path in paths]
for name, (function, number, settings) in json.loads(sys.argv[1]).items():
    module, _, function = function.rpartition(".")
    of = importlib.import_module("scope_profiler." + module) if module else sp
    given = [runs[0]] * 2 if settings.pop("twice", False) else runs[:number] if number else runs[0]
    try:
        getattr(of, function)(given, data_filepath=f"{name}.json", data_format="json", verbose=False,
                              **settings)
    except ValueError as error:  # of a canvas that draws nothing, when the file is written
        assert "unpack" in str(error), error
"""


@pytest.fixture(scope="module")
def its_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("peer")
    done = subprocess.run([PEER, "-c", PROGRAM, json.dumps(CHARTS)], cwd=folder, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    return folder


def plain(value):
    """Data without what only the peer has, every number so exact as sums of floats are."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if key not in ITS_OWN}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return pytest.approx(value, rel=1e-9, abs=2e-12) if isinstance(value, float) else value


@pytest.mark.parametrize("name", CHARTS)
def test_the_numbers_are_those_of_the_peer(its_folder, name):
    function, number, settings = CHARTS[name]
    runs = [sp.load(its_folder / f"ranks{ranks}.h5") for ranks in (4, 1, 2)]
    settings = dict(settings)
    given = [runs[0]] * 2 if settings.pop("twice", False) else runs[:number] if number else runs[0]
    getattr(plots, function.rpartition(".")[2])(
        given, data_filepath="ours.json", data_format="json", verbose=False, **settings)
    with open("ours.json") as file, open(its_folder / f"{name}.json") as its_file:
        ours, its = json.load(file), json.load(its_file)
    for call in its.get("calls", ()):  # of several ranks it makes several runs
        if "file" in call:
            call["file"] = call["file"].partition(" (")[0]
    if "edges" in its:  # ours have more of each
        ours["edges"] = [{key: edge[key] for key in ("parent", "child")} for edge in ours["edges"]]
    for key, expected in its.items():
        if key not in ITS_OWN:
            assert ours[key] == plain(expected), key
