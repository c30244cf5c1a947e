"""region_statistics.py: what there is to tell of runs, as plain values."""

import json
import os

from hdf5_support import columns, run
import pytest
from conftest import NEEDS_H5PY

import scope_profiler as sp
from scope_profiler.results import Region

METADATA = {"start_time_ns": 1000, "finalize_time_ns": 90_000, "label": "two"}


def two():
    return run({
        "b": {0: columns([10_000, 20_000], [100, 200]), 1: columns([5_000], [50])},
        "a": {1: columns([6000, 9000], [70, 80])}, "never": {0: Region()},
    }, METADATA)


def test_statistics_of_a_run():
    found = sp.collect_region_statistics(sp.load(sp.write_profile(two(), "x.json")))
    assert found["units"] == {"durations": "seconds"}
    assert found["filters"] == {"include": None, "exclude": None, "ranks": None}
    assert found["common_regions"] == ["b", "a", "never"]
    [file] = found["files"]
    assert file["label"] == "two" and file["file_path"] == os.path.abspath("x.json")
    assert file["num_ranks"] == 2 and file["total_time_seconds"] == pytest.approx(8.9e-5)
    b, never = (file["region_statistics"][name] for name in ("b", "never"))
    assert b.pop("per_rank").keys() == {"0", "1"}
    assert b == pytest.approx({
        "count": 3, "average_duration_seconds": 350e-9 / 3, "min_duration_seconds": 50e-9,
        "max_duration_seconds": 200e-9, "first_duration_seconds": 50e-9,
        "last_duration_seconds": 200e-9, "std_duration_seconds": 6.2360956e-8,
        "total_duration_seconds": 350e-9,
    })
    assert never["count"] == 0 and never["per_rank"]["0"]["min_duration_seconds"] is None
    json.dumps(found)


def test_what_is_chosen_of_several_runs():
    one = run({"b": {0: columns([1], [5])}}, {"label": "two"})
    found = sp.collect_region_statistics([two(), one], ranks=0, include=["b", "a"], exclude="zz")
    assert found["filters"] == {"include": ["b", "a"], "exclude": "zz", "ranks": [0]}
    assert found["common_regions"] == ["b"]
    assert [file["label"] for file in found["files"]] == ["two", "two (2)"]
    assert found["files"][0]["region_statistics"]["b"]["count"] == 2
    assert found["files"][0]["region_statistics"]["a"] == {
        **dict.fromkeys(found["files"][0]["region_statistics"]["b"]), "count": 0, "per_rank": {}}
    found = sp.collect_region_statistics([two(), one], labels=["x", "x"])
    assert [file["label"] for file in found["files"]] == ["x", "x"]


def test_statistics_as_a_file():
    found = sp.write_region_statistics_json(two(), "folder/x.json", ranks=[1])
    with open("folder/x.json") as file:
        written = json.load(file)
    assert [written.pop(name) for name in ("format", "format_version", "plot")] == [
        "scope-profiler-plot-data", 1, "region_statistics"]
    assert written == found == sp.collect_region_statistics(two(), ranks=[1])


@NEEDS_H5PY
def test_metadata_of_files():
    path = sp.write_profile(two(), "x.h5")
    expected = {"file_path": os.path.abspath("x.h5"), "num_ranks": 2, "metadata": METADATA}
    assert sp.collect_file_metadata(path) == {"files": [expected]}
    assert sp.collect_file_metadata(["x.h5", sp.load(path)]) == {"files": [expected] * 2}


@pytest.mark.parametrize("given, error, text", [
    ((3,), TypeError, "profiling_data takes ProfilingResults"), (("x.h5",), TypeError, "str"),
    (([],), ValueError, "one run or several"), ((two(), None, "("), ValueError, "include"),
    ((two(), None, None, None, ["a", "b"]), ValueError, "labels must be a name for each of the 1"),
])
def test_what_is_taken(given, error, text):
    with pytest.raises(error, match=text):
        sp.collect_region_statistics(*given)
    with pytest.raises(error, match=text):
        sp.write_region_statistics_json(given[0], "y.json", *given[1:])
    with pytest.raises(ValueError, match="filepath takes a name in .json, got"):
        sp.write_region_statistics_json(two(), "y.h5")
