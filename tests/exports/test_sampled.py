"""Files for other programs, of runs that were sampled."""

import json

import pytest

from scope_profiler._model.recorded import Recorded
from scope_profiler._model.samples import FUNCTION, REGION, THREAD, Place, of_stacks
from scope_profiler.exports.collapsed import export_collapsed
from scope_profiler.exports.flamegraph import export_flamegraph_svg
from scope_profiler.exports.speedscope import export_speedscope
from scope_profiler.results import ProfilingResults


def line(name, number):
    return Place(FUNCTION, name, "/there/file.py", 1, number)


@pytest.fixture
def results():
    thread, region = Place(THREAD, "MainThread"), Place(REGION, "solve")
    samples = of_stacks(
        [((thread, line("f", 2)), 3), ((thread, line("f", 4)), 1),
         ((thread, region, line("f", 2), line("g", 7)), 6)],
        hz=1000.0, clock="wall", ticks=10, instants=10, missed=0, unreadable=0)
    return ProfilingResults({}, recorded={0: Recorded([], 10**7, {}, samples)})


def test_collapsed_stacks_have_the_time_of_the_samples(results, tmp_path):
    [path] = export_collapsed(results, tmp_path / "x.collapsed", verbose=False)
    assert path.read_text().splitlines() == [
        "MainThread;f (file.py:1) 4000000", "MainThread;solve;f (file.py:1);g (file.py:1) 6000000"]


def test_a_choice_of_names(results, tmp_path):
    [path] = export_collapsed(results, tmp_path / "x.collapsed", exclude="MainThread", verbose=False)
    assert path.read_text().splitlines()[0] == "f (file.py:1) 4000000"


def test_a_flame_graph(results, tmp_path):
    [path] = export_flamegraph_svg(results, tmp_path / "x.svg", verbose=False)
    text = path.read_text()
    assert "g (file.py:1): 6 ms, 60.0 %" in text and "0 calls" not in text


def test_speedscope(results, tmp_path):
    [path] = export_speedscope(results, tmp_path / "x.speedscope.json", verbose=False)
    document = json.loads(path.read_text())
    [profile] = [one for one in document["profiles"] if one["name"].endswith("samples")]
    names = [frame["name"] for frame in document["shared"]["frames"]]
    stacks = {tuple(names[frame] for frame in stack): weight
              for stack, weight in zip(profile["samples"], profile["weights"])}
    assert stacks == {("MainThread", "f (file.py:1)"): 4_000_000,
                      ("MainThread", "solve", "f (file.py:1)", "g (file.py:1)"): 6_000_000}
    assert profile["endValue"] == 10_000_000
