"""HDF5 files: the reader and writer of scope-profiler 0.7.5 itself."""

import json
import os
import subprocess

import pytest
from hdf5_support import LINES, NOW, aggregates, columns, example, run

from scope_profiler.io import load, write_profile
from scope_profiler.results import exclusive_totals

PEER = os.environ.get("SCOPE_PROFILER_PEER_PYTHON")

pytestmark = pytest.mark.skipif(
    not PEER, reason="SCOPE_PROFILER_PEER_PYTHON names no interpreter with scope-profiler 0.7.5"
)

# What it makes of files, as JSON.
PEER_READS = """
import json, sys
import scope_profiler
seen = {}
for path in sys.argv[1:]:
    results = scope_profiler.load(path)
    seen[path] = {
        "summary": results.summary(),
        "events": results.events(relative=False),
        "names": results.region_names,
        "regions": {
            f"{region.name} {rank}": {
                "starts": region[rank].start_times_ns.tolist(),
                "ends": region[rank].end_times_ns.tolist(),
                "source": [region[rank].source_file, region[rank].source_lineno],
                "text": region[rank].source_text,
                "tags": list(region[rank].tags),
                "metadata": list(region[rank].event_metadata),
            }
            for region in results for rank in region
        },
        "metadata": {key: getattr(value, "item", lambda: value)()
                     for key, value in results.metadata.items()},
        "lines": {rank: [{key: getattr(value, "tolist", lambda: value)()
                          for key, value in entry.items()} for entry in entries]
                  for rank, entries in results.line_profile.items()},
        "times": [results.time_span, results.total_time, results.num_ranks, results.label],
        "stack": [[call["name"], call["depth"], call["exclusive_duration"]]
                  for call in results.call_stack()] if results.events() else [],
    }
json.dump(seen, sys.stdout)
"""

# Runs that it records itself.
PEER_WRITES = """
import sys, threading
import scope_profiler as sp
def f(n):
    with sp.region("rec"):
        if n: f(n - 1)
for name, options in dict(plain={}, source=dict(capture_region_source=True),
                          aggregate=dict(aggregation_mode=True),
                          threads=dict(track_threads=True)).items():
    with sp.session(verbose=False, file_path=name + ".h5", label=name, **options):
        with sp.region("a", tags=["t"]):
            for _ in range(3):
                f(2)
        if name == "threads":
            pair = [threading.Thread(target=f, args=(3,)) for _ in range(2)]
            [one.start() for one in pair]
            [one.join() for one in pair]
        elif name != "aggregate":
            with sp.region_factory("made")(step=1):
                pass
"""


def peer(code, folder, *arguments):
    # In a file, for sources to be found.
    script = folder / "script.py"
    script.write_text(code)
    ended = subprocess.run(
        [PEER, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def assert_same_rows(theirs, ours):
    """Their summary against ours, by everything that both know."""
    # Their first start is unknown in the aggregate layout, and so is their order.
    theirs = {row["name"]: row for row in theirs}
    assert list(theirs) == [row["name"] for row in ours] or None in ours[0].values()
    assert set(theirs) == {row["name"] for row in ours}
    for row in ours:
        for key, value in theirs[row["name"]].items():
            if key == "inclusive_duration":
                continue  # theirs is the total, which counts recursive calls again
            mine = list(row[key]) if key == "tags" else row[key]
            expected = (
                pytest.approx(value, rel=1e-9, abs=1e-15) if isinstance(value, float) else value
            )
            assert mine == expected, (row["name"], key)


def test_its_reader_reads_our_files(tmp_path):
    files = {"everything": example(), "aggregate": aggregates()}
    paths = {name: write_profile(one, tmp_path / f"{name}.h5") for name, one in files.items()}
    seen = json.loads(peer(PEER_READS, tmp_path, *paths.values()))

    everything, ours = seen[str(paths["everything"])], files["everything"]
    rows = [row for row in ours.summary() if row["num_calls"]]
    assert_same_rows([row for row in everything["summary"] if row["num_calls"]], rows)
    assert everything["names"] == ours.region_names
    for region in ours:
        for rank in region:
            one, theirs = region[rank], everything["regions"][f"{region.name} {rank}"]
            assert theirs["starts"] == one.start_times_ns.tolist()
            assert theirs["ends"] == one.end_times_ns.tolist()
            assert theirs["source"] == [one.source_file, one.source_lineno]
            assert theirs["text"] == one.source_text
            assert theirs["tags"] == list(one.tags)
            assert theirs["metadata"] == [dict(entry) for entry in one.event_metadata]
    assert everything["metadata"] == ours.metadata
    assert everything["times"] == [
        pytest.approx(ours.time_span), pytest.approx(ours.total_time), 3, "night",
    ]  # fmt: skip
    assert {int(rank): len(entries) for rank, entries in everything["lines"].items()} == {
        0: 2,
        2: 1,
    }
    assert everything["lines"]["0"][0] == LINES
    assert everything["stack"] == [
        ["solve", 0, 90e-9],
        ["solve", 0, pytest.approx(120e-9)],
        ["inner", 1, 80e-9],
        ["solve", 0, 40e-9],
    ]

    (solve, inner) = seen[str(paths["aggregate"])]["summary"]
    assert (solve["num_calls"], solve["total_duration"], solve["min_duration"]) == (4, 1e-7, 1e-8)
    assert (solve["max_duration"], solve["exclusive_duration"]) == (4e-8, 6e-8)
    assert inner["exclusive_duration"] == 1e-7


def test_it_tells_threads_apart(tmp_path):
    """Calls of two threads overlap, and what no thread is known of is beside them."""
    results = run(
        {
            "outer": {0: columns([NOW, NOW + 5], [10, 10], thread_ids=[0, 1])},
            "inner": {0: columns([NOW + 2, NOW + 7], [6, 6], thread_ids=[0, 1])},
            "apart": {0: columns([NOW + 1], [12])},
        }
    )
    path = write_profile(results, tmp_path / "x.h5")
    (seen,) = json.loads(peer(PEER_READS, tmp_path, path)).values()
    assert seen["stack"] == [
        ["outer", 0, 4e-9],
        ["apart", 0, 12e-9],
        ["inner", 1, 6e-9],
        ["outer", 0, 4e-9],
        ["inner", 1, 6e-9],
    ]
    threads = {(call["name"], call["thread"]) for call in seen["events"]}
    assert threads == {("outer", 0), ("outer", 1), ("inner", 0), ("inner", 1), ("apart", -1)}
    assert load(path)["apart"][0].thread_ids is None
    totals = exclusive_totals([region[0] for region in load(path)])
    assert totals == [8, 12, 12]


def test_its_inspect_command_reads_our_files(tmp_path):
    for results in (example(), aggregates()):
        write_profile(results, tmp_path / "x.h5")
        code = "import runpy; runpy.run_module('scope_profiler', run_name='__main__')"
        assert "solve" in peer(code, tmp_path, "inspect", "x.h5")


def test_we_read_its_files(tmp_path):
    peer(PEER_WRITES, tmp_path)
    paths = sorted(tmp_path.glob("*.h5"))
    assert len(paths) == 4
    again = tmp_path / "again"
    again.mkdir()
    for path in paths:
        write_profile(load(path), again / path.name)
    seen = json.loads(peer(PEER_READS, tmp_path, *paths, *again.iterdir()))
    for path in paths:
        theirs, ours = seen[str(path)], load(path)
        assert_same_rows(theirs["summary"], ours.summary())
        assert theirs["metadata"] == ours.metadata
        assert theirs["times"] == [
            pytest.approx(ours.time_span), pytest.approx(ours.total_time), 1, path.stem,
        ]  # fmt: skip
        assert_same_rows(seen[str(again / path.name)]["summary"], ours.summary())
        assert sorted(seen[str(again / path.name)]["stack"]) == sorted(theirs["stack"])
    assert load(tmp_path / "plain.h5")["made"][0].event_metadata == ({"step": 1},)
    assert load(tmp_path / "source.h5")["a"].source_text
