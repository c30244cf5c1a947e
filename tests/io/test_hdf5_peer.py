"""Files, HDF5 and JSON: the readers and writers of scope-profiler 0.7.5 itself."""

import json
import os
import subprocess

import pytest
from hdf5_support import LINES, NOW, aggregates, columns, example, run

from scope_profiler.io import load, read_h5_summary, write_profile
from scope_profiler.results import exclusive_totals

PEER = os.environ.get("SCOPE_PROFILER_PEER_PYTHON")

pytestmark = pytest.mark.skipif(
    not PEER, reason="SCOPE_PROFILER_PEER_PYTHON names no interpreter with scope-profiler 0.7.5"
)

# What it makes of files, as JSON.
PEER_READS = """
import json, sys
import scope_profiler
def plain(value):
    return getattr(value, "tolist", lambda: value)()
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
                "columns": {name: plain(getattr(region[rank], name))
                            for name in ("thread_ids", "task_ids", "call_ids", "parent_ids")},
                "awaits": plain(region[rank].await_times),
            }
            for region in results for rank in region
        },
        "metadata": {key: plain(value) for key, value in results.metadata.items()},
        "lines": {rank: [{key: plain(value) for key, value in entry.items()} for entry in entries]
                  for rank, entries in results.line_profile.items()},
        "threads": {rank: [[one.index, one.name, one.ident, one.daemon, one.end_time]
                           for one in threads] for rank, threads in results.threads.items()},
        "tasks": {rank: [[one.index, one.kind, one.name, one.coro_name, one.thread_index,
                          one.steps, one.running_time, one.done] for one in tasks]
                  for rank, tasks in results.tasks.items()},
        "times": [results.time_span, results.total_time, results.num_ranks, results.label],
        "stack": [[call["name"], call["depth"], call["exclusive_duration"]]
                  for call in results.call_stack()] if results.events() else [],
    }
json.dump(seen, sys.stdout)
"""

# Runs that it records itself, written with the suffix that it is given.
PEER_WRITES = """
import asyncio, sys, threading
import scope_profiler as sp
async def main():
    async def one():
        with sp.region("waits"):
            await asyncio.sleep(0.001)
    await asyncio.gather(one(), one())
def f(n):
    with sp.region("rec"):
        if n: f(n - 1)
for name, options in dict(plain={}, source=dict(capture_region_source=True),
                          aggregate=dict(aggregation_mode=True),
                          threads=dict(track_threads=True),
                          tasks=dict(track_async=True)).items():
    with sp.session(verbose=False, output=name + sys.argv[1], label=name, **options):
        with sp.region("a", tags=["t"]):
            for _ in range(3):
                f(2)
        if name == "threads":
            pair = [threading.Thread(target=f, args=(3,)) for _ in range(2)]
            [one.start() for one in pair]
            [one.join() for one in pair]
        elif name == "tasks":
            asyncio.run(main())
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


# Theirs is the total, which counts recursive calls again.
DIFFERENT = {"inclusive_duration"}

# Of threads, 0.7.5 has the calls of one after those of the other, in the order of the file.
DIFFERENT_OF_THREADS = {*DIFFERENT, "first_duration", "last_duration"}


def assert_same_rows(theirs, ours, different=DIFFERENT):
    """Their summary against ours, by everything that both know."""
    # Their first start is unknown in the aggregate layout, and so is their order.
    theirs = {row["name"]: row for row in theirs}
    assert list(theirs) == [row["name"] for row in ours] or None in ours[0].values()
    assert set(theirs) == {row["name"] for row in ours}
    for row in ours:
        for key, value in theirs[row["name"]].items():
            if key in different:
                continue
            mine = list(row[key]) if key == "tags" else row[key]
            expected = (
                pytest.approx(value, rel=1e-9, abs=1e-15) if isinstance(value, float) else value
            )
            assert mine == expected, (row["name"], key)


@pytest.mark.parametrize("suffix", [".h5", ".json", ".json.gz"])
def test_its_reader_reads_our_files(suffix, tmp_path):
    files = {"everything": example(), "aggregate": aggregates()}
    paths = {name: write_profile(one, tmp_path / (name + suffix)) for name, one in files.items()}
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
            assert theirs["metadata"] == list(one.event_metadata)
            for name, column in theirs["columns"].items():
                mine = getattr(one, name)
                # HDF5 has a column for all regions or for none.
                assert (column or [-1]) == ([-1] * (len(column or [-1])) if mine is None
                                            else mine.tolist())  # fmt: skip
    assert everything["regions"]["solve 0"]["awaits"] == [0, 0, 7e-9]
    assert everything["metadata"] == ours.metadata
    assert everything["times"] == [
        pytest.approx(ours.time_span), pytest.approx(ours.total_time), 3, "night",
    ]  # fmt: skip
    assert {int(rank): len(entries) for rank, entries in everything["lines"].items()} == {
        0: 2,
        2: 1,
    }
    assert everything["lines"]["0"][0] == LINES
    assert everything["threads"] == {
        "0": [[0, "MainThread", 1234567, False, None], [1, "wörker", -1, True, 5e-7]],
        "2": [[0, "MainThread", 7, False, None]],
    }
    assert everything["tasks"] == {"0": [[0, "task", "Task-1", "main", 0, 7, 3e-7, False]]}
    calls = sorted(everything["stack"])
    assert calls == [
        ["inner", 1, 80e-9],
        ["solve", 0, 40e-9],
        ["solve", 0, 90e-9],
        ["solve", 0, pytest.approx(120e-9)],
    ]

    solve, inner, unknown = (
        next(row for row in seen[str(paths["aggregate"])]["summary"] if row["name"] == name)
        for name in ("solve", "inner", "unknown")
    )
    assert (solve["num_calls"], solve["total_duration"], solve["min_duration"]) == (4, 1e-7, 1e-8)
    assert (solve["max_duration"], solve["exclusive_duration"]) == (4e-8, 6e-8)
    assert inner["exclusive_duration"] == unknown["exclusive_duration"] == 1e-7
    if suffix != ".h5":
        assert solve["first_duration"] == 11e-9
        assert solve["std_duration"] == pytest.approx(11.5e-9)


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


@pytest.mark.parametrize("suffix", [".h5", ".json", ".json.gz"])
def test_we_read_its_files(suffix, tmp_path):
    peer(PEER_WRITES, tmp_path, suffix)
    paths = sorted(path for path in tmp_path.iterdir() if path.name.endswith(suffix))
    assert len(paths) == 5
    again = tmp_path / "again"
    again.mkdir()
    for path in paths:
        write_profile(load(path), again / path.name)
    seen = json.loads(peer(PEER_READS, tmp_path, *paths, *again.iterdir()))
    for path in paths:
        theirs, ours = seen[str(path)], load(path)
        with_threads = path.name.startswith(("threads", "tasks"))
        different = DIFFERENT_OF_THREADS if with_threads else DIFFERENT
        assert_same_rows(theirs["summary"], ours.summary(), different)
        assert theirs["metadata"] == ours.metadata
        assert theirs["times"] == [
            pytest.approx(ours.time_span), pytest.approx(ours.total_time), 1,
            path.name.removesuffix(suffix),
        ]  # fmt: skip
        written = seen[str(again / path.name)]
        assert_same_rows(written["summary"], ours.summary())
        assert sorted(written["stack"]) == sorted(theirs["stack"])
        for key in ("threads", "tasks", "lines", "metadata", "times"):
            assert written[key] == theirs[key]
    plain = load(tmp_path / f"plain{suffix}")
    assert plain["made"][0].event_metadata == [{"step": 1}]
    assert load(tmp_path / f"source{suffix}")["a"].source_text
    tasks = load(tmp_path / f"tasks{suffix}")
    assert {task.kind for task in tasks.tasks[0]} == {"task"}
    assert tasks["waits"][0].await_ns.min() > 0
    assert [thread.name for thread in load(tmp_path / f"threads{suffix}").threads[0]][0]


def test_it_reads_our_compressed_files(tmp_path):
    path = write_profile(example(), tmp_path / "x.h5", compression="gzip", chunk_size=2)
    plain = write_profile(example(), tmp_path / "y.h5")
    seen = json.loads(peer(PEER_READS, tmp_path, path, plain))
    assert seen[str(path)] == seen[str(plain)]


def test_summaries_of_its_files(tmp_path):
    peer(PEER_WRITES, tmp_path, ".h5")
    for path in sorted(tmp_path.glob("*.h5")):
        whole, summary = load(path), read_h5_summary(path, fallback=False)
        assert not summary.has_event_data
        for region in whole:
            mine = summary[region.name].get_summary()
            for key, value in region.get_summary().items():
                if key not in DIFFERENT_OF_THREADS:
                    assert mine[key] == pytest.approx(value), (path.name, region.name, key)
