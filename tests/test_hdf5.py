"""HDF5 files: their layout, that nothing is lost on the way, and that none is left half written."""

import json
import os
import signal
import stat
import subprocess
import sys
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scope_profiler
from scope_profiler.io import (
    CorruptProfileError,
    UnsupportedProfileError,
    hdf5,
    load,
    replacing,
    write_profile,
)
from scope_profiler.metadata import collect_metadata
from scope_profiler.results import BLOCK, MPIRegion, ProfilingResults, Region

NOW = 1_325_689_337_980
PEER = os.environ.get("SCOPE_PROFILER_PEER_PYTHON")

LINES = {
    "region": "solve", "filename": "f.py", "function": "f", "first_lineno": 3,
    "line_numbers": [4, 5], "hits": [10, 9], "times": [1500.0, 2.5], "unit": 1e-9,
}  # fmt: skip


def run(regions, metadata=None, line_profile=None):
    """Results from {name: {rank: Region}}."""
    return ProfilingResults(
        {name: MPIRegion(name, by_rank) for name, by_rank in regions.items()},
        metadata,
        line_profile=line_profile,
    )


def columns(starts, durations, **facts):
    return Region(start_times_ns=starts, durations_ns=durations, **facts)


def example():
    """A run of everything that a file has a place for."""
    solve = columns(
        [NOW, NOW + 100, NOW + 350],
        [90, 200, 40],
        exclusive_total_ns=250,
        inclusive_total_ns=330,
        errors=1,
        tags=("a", "ü"),
        source_file="f.py",
        source_lineno=7,
        source_text="with region('solve'):\n",
        event_metadata=[{"step": 0}, {}, {"step": 2, "x": "y"}],
        thread_ids=[0, 0, 1],
    )
    inner = columns([NOW + 110], [80], exclusive_total_ns=80, thread_ids=[0])
    other = columns([NOW + 5], [1], exclusive_total_ns=1, tags=["a"])
    return run(
        {"solve": {0: solve, 2: other}, "inner": {0: inner}, "never": {0: Region()}},
        {
            **collect_metadata("night", start_time_ns=NOW - 10, finalize_time_ns=NOW + 1000),
            "timestamp": "2025-01-02T03:04:05.678901+00:00",
            "mpi_size": 3,
        },
        {0: [LINES, {**LINES, "function": "g"}], 2: [LINES]},
    )


def aggregates():
    """A run of which no interval was kept."""
    known = {"count": 4, "total": 100, "minimum": 10, "maximum": 40}
    more = {"std": 11.5, "p50": 24.5, "p95": 39.0, "first_start": NOW, "last_end": NOW + 900}
    return run(
        {
            "solve": {
                0: Region(
                    statistics=known | more,
                    exclusive_total_ns=60,
                    inclusive_total_ns=90,
                    tags=["a"],
                    source_file="f.py",
                    source_lineno=7,
                    errors=3,
                )
            },
            "inner": {0: Region(statistics=known, exclusive_total_ns=100)},
        }
    )


def contents(results):
    """Everything in results, as plain values that compare equal if and only if they are."""
    names = (
        "num_calls num_events errors tags source_file source_lineno source_text statistics "
        "event_metadata exclusive_duration_ns inclusive_duration_ns total_duration_ns "
        "min_duration_ns max_duration_ns std_duration_ns first_start_time_ns last_end_time_ns "
        "first_duration_ns last_duration_ns p50_duration p95_duration p99_duration "
        "start_times_ns durations_ns thread_ids call_ids parent_ids"
    ).split()

    def plain(value):
        return value.tolist() if isinstance(value, np.ndarray) else value

    return {
        "regions": [
            (region.name, rank, {name: plain(getattr(region[rank], name)) for name in names})
            for region in results
            for rank in region
        ],
        "names": results.region_names,
        "metadata": results.metadata,
        "lines": {
            rank: [{key: plain(value) for key, value in entry.items()} for entry in entries]
            for rank, entries in results.line_profile.items()
        },
        "num_ranks": results.num_ranks,
        "label": results.label,
    }  # fmt: skip


def without_leftovers(folder):
    """The names in a folder, hidden ones included."""
    return sorted(os.listdir(folder))


# -- there and back ----------------------------------------------------------------


@pytest.mark.parametrize("results", [example(), aggregates(), run({}), run({"x": {}})])
def test_what_is_written_is_read(results, tmp_path):
    path = write_profile(results, tmp_path / "x.h5")
    read = load(path)
    assert contents(read) == contents(results)
    assert read.file_path == path
    for region in read:
        for rank in region:
            assert region[rank].start_times_ns.dtype == np.int64


# HDF5 ends a text at NUL; of surrogates, file names have those that stand for bytes.
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF),
    max_size=8,
)
integers = st.integers(-(2**63) + 1, 2**63 - 1)
floats = st.floats(allow_nan=False)
totals = st.integers(0, 2**62)
json_values = st.none() | st.booleans() | st.integers() | floats | texts


@st.composite
def regions(draw):
    count = draw(st.integers(0, 6))
    sized = {"min_size": count, "max_size": count}
    ids = st.none() | st.lists(st.integers(0, 2**40), **sized)
    known = {
        "start_times_ns": sorted(draw(st.lists(st.integers(-(2**60), 2**60), **sized))),
        "durations_ns": draw(st.lists(st.integers(0, 2**58), **sized)),
        "thread_ids": draw(ids),
    }
    if draw(st.booleans()):
        known["call_ids"] = draw(st.lists(st.integers(0, 2**40), **sized))
        known["parent_ids"] = draw(st.lists(st.integers(-1, 2**40), **sized))
    if draw(st.booleans()):
        known["event_metadata"] = draw(
            st.lists(st.dictionaries(texts, json_values, max_size=2), **sized)
        )
    if draw(st.booleans()):
        known["statistics"] = {
            "count": count + draw(st.integers(0, 3)),
            "total": draw(totals),
            **draw(
                st.fixed_dictionaries(
                    {},
                    optional={
                        **dict.fromkeys(hdf5.INTEGER_STATISTICS[2:], totals),
                        **dict.fromkeys(hdf5.FLOAT_STATISTICS, floats),
                    },
                )
            ),
        }
        if known["statistics"]["count"] == count:
            # Then the columns are the source, and what was counted has to agree.
            del known["statistics"]
    return Region(
        exclusive_total_ns=draw(st.none() | integers),
        inclusive_total_ns=draw(st.none() | integers),
        errors=draw(totals),
        tags=draw(st.lists(texts, max_size=2)),
        source_file=draw(st.none() | texts),
        source_lineno=draw(st.none() | totals),
        source_text=draw(st.none() | texts),
        **known,
    )


@st.composite
def line_functions(draw):
    count = draw(st.integers(0, 3))
    sized = {"min_size": count, "max_size": count}
    return {
        "region": draw(texts), "filename": draw(texts), "function": draw(texts),
        "first_lineno": draw(totals), "unit": draw(floats),
        "line_numbers": draw(st.lists(integers, **sized)),
        "hits": draw(st.lists(integers, **sized)),
        "times": draw(st.lists(floats, **sized)),
        **draw(st.fixed_dictionaries({}, optional={"source": texts})),
    }  # fmt: skip


ranks = st.integers(0, 2**32 - 1)
keys = texts.filter(bool).filter(lambda text: text.isprintable())
values = texts | integers | floats | st.booleans() | st.lists(texts, max_size=3)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(texts, st.dictionaries(ranks, regions(), max_size=2), max_size=3),
    st.dictionaries(keys, values, max_size=3),
    st.dictionaries(ranks, st.lists(line_functions(), max_size=2), max_size=2),
)
def test_writing_and_reading_is_the_identity(tmp_path_factory, named, metadata, lines):
    folder = tmp_path_factory.mktemp("identity")
    results = run(named, metadata, lines)
    assert contents(load(write_profile(results, folder / "x.h5"))) == contents(results)


def test_runs_longer_and_shorter_than_a_block(tmp_path):
    generator = np.random.default_rng(1)
    counts = [BLOCK + 1, 3, 0, 2 * BLOCK, 5, BLOCK - 1]
    results = run(
        {
            f"n{number}": {
                0: columns(
                    np.cumsum(generator.integers(0, 1000, count)) + NOW,
                    generator.integers(0, 1000, count),
                    thread_ids=np.full(count, number, np.int32) if number % 2 else None,
                )
            }
            for number, count in enumerate(counts)
        }
    )
    read = load(write_profile(results, tmp_path / "x.h5"))
    for region in results:
        for name in ("start_times_ns", "durations_ns", "thread_ids"):
            np.testing.assert_array_equal(
                getattr(read[region.name][0], name), getattr(region[0], name)
            )


def test_odd_texts_do_not_keep_results_from_being_written(tmp_path):
    results = run({"a\0b": {0: Region(source_file="\ud800", tags=["\0"])}}, {"k": "\0"})
    read = load(write_profile(results, tmp_path / "x.h5"))
    assert read.region_names == ["a\N{SYMBOL FOR NULL}b"]
    assert read["a\N{SYMBOL FOR NULL}b"].source_file == "\\ud800"
    assert read["a\N{SYMBOL FOR NULL}b"].tags == ("\0",)


def test_memory_does_not_grow_with_the_columns(tmp_path):
    count = 1_000_000
    results = run({"a": {0: columns(np.arange(count), np.ones(count, np.int64))}})
    write_profile(run({}), tmp_path / "x.h5")
    tracemalloc.start()
    write_profile(results, tmp_path / "x.h5")
    written = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    read = load(tmp_path / "x.h5")
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert written < 6 * 2**20
    assert peak < 16.1 * count + 3 * 2**20
    assert read["a"].num_calls == count


# -- the layout --------------------------------------------------------------------


def test_columnar_layout(tmp_path):
    with h5py.File(write_profile(example(), tmp_path / "x.h5")) as file:
        assert dict(file.attrs) == {"scope_profiler_schema": 3, "storage_layout": "columnar"}
        assert file.attrs["scope_profiler_schema"].dtype == np.int64
        assert sorted(file) == [
            "events", "metadata", "rank0", "rank2", "rank_region_index", "region_table",
        ]  # fmt: skip
        index, events = file["rank_region_index"], file["events"]
        assert file["region_table/names"].asstr()[...].tolist() == ["solve", "inner", "never"]
        expected = {
            "region_ids": ("<u4", [0, 0, 1, 2]),
            "ranks": ("<u4", [0, 2, 0, 0]),
            "event_offsets": ("<u8", [0, 3, 4, 5]),
            "event_counts": ("<u8", [3, 1, 1, 0]),
            "source_lines": ("<i8", [7, -1, -1, -1]),
            "exclusive_totals": ("<i8", [250, 1, 80, -1]),
        }
        for name, (dtype, numbers) in expected.items():
            assert (index[name].dtype.str, index[name][...].tolist()) == (dtype, numbers)
        for name, first in {
            "source_files": "f.py",
            "source_texts": "with region('solve'):\n",
            "tags": '["a", "\\u00fc"]',
            "event_metadata": '[{"step": 0}, {}, {"step": 2, "x": "y"}]',
        }.items():
            assert h5py.check_string_dtype(index[name].dtype) == ("utf-8", None)
            assert index[name].asstr()[0] == first
        assert index["tags"].asstr()[2] == index["event_metadata"].asstr()[2] == "[]"
        summary = index["summary_statistics"]
        assert summary.dtype == np.dtype(
            [("total", "<i8"), ("minimum", "<i8"), ("maximum", "<i8"), ("first", "<i8"),
             ("last", "<i8"), ("start_minimum", "<i8"), ("end_maximum", "<i8"),
             ("gpu_count", "<u8"), ("gpu_total", "<i8"), ("mean", "<f8"), ("m2", "<f8")]
        )  # fmt: skip
        assert summary[0].tolist() == (
            330, 40, 200, 90, 40, NOW, NOW + 390, 0, 0, 110.0, pytest.approx(13400.0),
        )  # fmt: skip
        assert index["extended_statistics"][0].tolist() == (1, 330, 250)
        assert "recorded_statistics" not in index
        found = {name: (item.dtype.str, item[...].tolist()) for name, item in events.items()}
        assert found == {
            "start_deltas": ("<i8", [NOW, 100, 250, NOW + 5, NOW + 110]),
            "durations": ("<i8", [90, 200, 40, 1, 80]),
            "thread_ids": ("<i8", [0, 0, 1, -1, 0]),
        }  # fmt: skip
        assert events["durations"].chunks is None
        assert file["metadata"].attrs["label"] == "night"
        assert file["metadata"].attrs["start_time_ns"].dtype == np.int64
        lines = file["rank0/line_profile/1"]
        assert dict(lines.attrs) == {
            "region": "solve", "filename": "f.py", "function": "g", "first_lineno": 3,
            "unit": 1e-9,
        }  # fmt: skip
        assert [lines[name].dtype.str for name in ("line_numbers", "hits", "times")] == [
            "<i8", "<i8", "<f8",
        ]  # fmt: skip


def test_aggregate_layout(tmp_path):
    with h5py.File(write_profile(aggregates(), tmp_path / "x.h5")) as file:
        assert file.attrs["storage_layout"] == "aggregate"
        index = file["rank_region_index"]
        for name, dtype, numbers in (
            ("counts", "<u8", [4, 4]),
            ("totals", "<i8", [100, 100]),
            ("minimums", "<i8", [10, 10]),
            ("maximums", "<i8", [40, 40]),
            ("exclusives", "<i8", [60, 100]),
        ):
            column = index[f"aggregate_{name}"]
            assert (column.dtype.str, column[...].tolist()) == (dtype, numbers)
        assert file["events/durations"].shape == file["events/start_deltas"].shape == (0,)


def test_where_intervals_were_dropped_the_columns_speak_of_those_that_are_left(tmp_path):
    known = {"count": 9, "total": 500, "minimum": 1, "maximum": 300}
    one = columns([5, 10], [2, 4], statistics=known, exclusive_total_ns=400)
    with h5py.File(write_profile(run({"a": {0: one}}), tmp_path / "x.h5")) as file:
        index = file["rank_region_index"]
        assert index["summary_statistics"]["total"].tolist() == [6]
        assert index["exclusive_totals"][...].tolist() == [-1]
        assert index["recorded_statistics"]["total"].tolist() == [500]


def test_one_call_makes_a_small_file(tmp_path):
    one = run(
        {name: {0: columns([NOW], [5], exclusive_total_ns=5)} for name in ("session", "a")},
        collect_metadata("a label"),
    )
    assert write_profile(one, tmp_path / "x.h5").stat().st_size < 18_000


# -- how files are replaced ----------------------------------------------------------


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_mode_is_what_the_umask_leaves(tmp_path, mask):
    before = os.umask(mask)
    try:
        path = write_profile(example(), tmp_path / "x.h5")
        write_profile(example(), path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    assert without_leftovers(tmp_path) == ["x.h5"]


def test_an_exception_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_profile(example(), tmp_path / "x.h5")
    before = path.read_bytes()
    for error in (RuntimeError("no"), KeyboardInterrupt()):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr(hdf5, "_write_function", fail)
        with pytest.raises(type(error)):
            write_profile(example(), path)
        assert path.read_bytes() == before
        assert without_leftovers(tmp_path) == ["x.h5"]


def test_an_interrupt_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_profile(example(), tmp_path / "x.h5")
    before = path.read_bytes()
    ordinary = hdf5._Output.write

    def interrupted(self, data):
        if self.tell() > 4000 and self._error is None:
            self._error = KeyboardInterrupt()
        return ordinary(self, data)

    monkeypatch.setattr(hdf5._Output, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_profile(example(), path)
    assert path.read_bytes() == before
    assert without_leftovers(tmp_path) == ["x.h5"]


def in_a_process(code, *arguments):
    """Run code that may import this module as `t`; what it returned and printed."""
    folders = [str(Path(scope_profiler.__file__).parents[1]), str(Path(__file__).parent)]
    return subprocess.run(
        [sys.executable, "-c", f"import test_hdf5 as t\n{code}", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_full_disk_leaves_the_old_file_and_the_process_alive(tmp_path):
    path = write_profile(example(), tmp_path / "x.h5")
    before = path.read_bytes()
    # Past a limit, writing fails as on a full disk. HDF5 by itself would abort.
    ended = in_a_process(
        """
import resource, sys
import numpy as np
many = t.run({f"n{i}": {0: t.columns(np.arange(50), np.arange(50))} for i in range(2000)})
for limit in (100, 6_000, 20_000, 500_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        t.write_profile(many, sys.argv[1])
    except OSError as error:
        assert error.filename == sys.argv[1], error
        assert error.__context__ is None, error.__context__
    else:
        raise AssertionError(limit)
""",
        path,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert path.read_bytes() == before
    assert without_leftovers(tmp_path) == ["x.h5"]


def test_a_killed_process_leaves_the_old_file(tmp_path):
    path = write_profile(example(), tmp_path / "x.h5")
    before = path.read_bytes()
    ended = in_a_process(
        """
import os, signal, sys
os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
t.write_profile(t.example(), sys.argv[1])
""",
        path,
    )
    assert ended.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    assert contents(load(path)) == contents(example())


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "x.h5").symlink_to(tmp_path / "real" / "y.h5")
    write_profile(example(), tmp_path / "x.h5")
    assert (tmp_path / "x.h5").is_symlink()
    assert contents(load(tmp_path / "x.h5")) == contents(example())
    assert without_leftovers(tmp_path / "real") == ["y.h5"]


def test_only_files_are_replaced(tmp_path):
    (tmp_path / "x.h5").mkdir()
    with pytest.raises(IsADirectoryError, match="x.h5 is a directory"):
        write_profile(example(), tmp_path / "x.h5")
    os.mkfifo(tmp_path / "y.h5")
    with pytest.raises(OSError, match="y.h5 is not a regular file"):
        write_profile(example(), tmp_path / "y.h5")
    with pytest.raises(FileNotFoundError, match="absent/z.h5"):
        write_profile(example(), tmp_path / "absent" / "z.h5")
    with pytest.raises(ValueError, match=r"path must end in one of .h5.*; got .*x\.txt"):
        write_profile(example(), tmp_path / "x.txt")
    assert without_leftovers(tmp_path) == ["x.h5", "y.h5"]


def test_names_may_be_as_long_as_they_can(tmp_path):
    path = tmp_path / ("x" * 252 + ".h5")
    assert write_profile(example(), path).exists()


def test_any_file_can_be_replaced(tmp_path):
    with replacing(tmp_path / "note") as file:
        file.write(b"hello")
        assert not (tmp_path / "note").exists()
    assert (tmp_path / "note").read_bytes() == b"hello"


# -- files that are not as they should be ----------------------------------------------


def test_loading_says_what_it_found(tmp_path, capsys):
    load(write_profile(example(), tmp_path / "x.h5"), verbose=True)
    assert "x.h5: 3 region(s) on 3 rank(s), 5 call(s)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("bytes_", "error", "text"),
    [
        (b"", CorruptProfileError, "empty"),
        (b"hello", CorruptProfileError, "not a profile"),
        (b"\x89HDF\r\n\x1a\n", CorruptProfileError, "cannot read"),
        (b'{"format": 1}', UnsupportedProfileError, "JSON or HTML"),
        (b"\x1f\x8b\x08", UnsupportedProfileError, "JSON or HTML"),
        (b"<!doctype html>", UnsupportedProfileError, "JSON or HTML"),
    ],
)
def test_other_files_are_told_apart(tmp_path, bytes_, error, text):
    path = tmp_path / "x.h5"
    path.write_bytes(bytes_)
    with pytest.raises(error, match=text) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_absent_files_are_absent(tmp_path):
    with pytest.raises(FileNotFoundError, match="x.h5"):
        load(tmp_path / "x.h5")
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
    with pytest.raises(FileNotFoundError):
        hdf5.read_hdf5(tmp_path / "x.h5")


def test_truncated_files_are_corrupt(tmp_path):
    path = write_profile(example(), tmp_path / "x.h5")
    whole = path.read_bytes()
    for length in range(8, len(whole), 997):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptProfileError, match="x.h5"):
            load(path)


def edited(tmp_path, edit):
    path = write_profile(example(), tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        edit(file)
    return path


def replace(file, name, values):
    dtype = file[name].dtype
    del file[name]
    file[name] = np.array(values, dtype)


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (lambda file: file.__delitem__("events"), "events"),
        (lambda file: file.__delitem__("region_table"), "region_table"),
        (lambda file: file.__delitem__("rank_region_index/region_ids"), "region_ids"),
        (lambda file: replace(file, "rank_region_index/region_ids", [0, 0, 1, 9]), "region 9"),
        (lambda file: replace(file, "rank_region_index/region_ids", [0, 0, 0, 2]), "twice"),
        (lambda file: replace(file, "rank_region_index/ranks", [0, 2]), "ranks has 2 rows, not 4"),
        (lambda file: replace(file, "rank_region_index/event_counts", [3, 1, 2, 0]), "not the 6"),
        (lambda file: replace(file, "rank_region_index/event_offsets", [0, 1, 4, 5]), "overlap"),
        (lambda file: replace(file, "events/durations", [1, 2]), "differ in length"),
        (lambda file: replace(file, "rank0/line_profile/0/hits", [1]), "hits"),
        (lambda file: file["rank_region_index/tags"].__setitem__(0, b"[1"), "cannot read"),
    ],
)
def test_damage_is_named(tmp_path, edit, text):
    with pytest.raises(CorruptProfileError, match=text):
        load(edited(tmp_path, edit))


def test_later_schemas_are_not_guessed_at(tmp_path):
    path = edited(tmp_path, lambda file: file.attrs.__setitem__("scope_profiler_schema", 4))
    with pytest.raises(UnsupportedProfileError, match="x.h5 has schema 4; .* up to 3"):
        load(path)


def test_a_file_of_something_else_is_no_profile(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(CorruptProfileError, match="not a profile"):
        load(tmp_path / "x.h5")


# -- files by others -------------------------------------------------------------------


def strip_to_schema_3(file):
    """Leave what the schema knows, unsorted and without exclusive times."""
    del file["rank_region_index/extended_statistics"]
    replace(file, "rank_region_index/exclusive_totals", [-1, -1, -1, -1])
    replace(file, "events/start_deltas", [NOW, 350, -250, NOW + 5, NOW + 110])
    replace(file, "events/durations", [90, 40, 200, 1, 80])
    replace(file, "events/thread_ids", [0, 1, 0, -1, 0])


def test_what_others_leave_out_is_derived(tmp_path):
    read = load(edited(tmp_path, strip_to_schema_3))
    solve = read["solve"][0]
    assert solve.start_times_ns.tolist() == [NOW, NOW + 100, NOW + 350]
    assert solve.durations_ns.tolist() == [90, 200, 40]
    assert solve.thread_ids.tolist() == [0, 0, 1]
    assert solve.event_metadata == ({"step": 0}, {"step": 2, "x": "y"}, {})
    assert solve.exclusive_duration_ns == 330 - 80
    assert read["inner"][0].exclusive_duration_ns == 80
    assert read["solve"][2].thread_ids is None
    assert solve.errors == 0


def test_schema_2(tmp_path):
    def edit(file):
        strip_to_schema_3(file)
        file.attrs["scope_profiler_schema"] = 2
        events = file["events"]
        del events["start_deltas"], events["durations"], events["thread_ids"]
        events["start_times"] = np.array([10, 20, 40, 5, 21])
        events["end_times"] = np.array([15, 33, 55, 6, 31])

    read = load(edited(tmp_path, edit))
    assert read["solve"][0].end_times_ns.tolist() == [15, 33, 55]
    assert read["solve"][0].exclusive_duration_ns == 5 + 3 + 15
    assert read["solve"].tags == ("a", "ü")


def test_schema_1(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_group("metadata").attrs["mpi_size"] = 2
        for rank in (0, 1):
            for name, starts, ends in (("a", [10, 20], [15, 33]), ("a/b", [21], [30])):
                group = file.create_group(f"rank{rank}/regions/{name}")
                group["start_times"], group["end_times"] = np.array(starts), np.array(ends)
        file["rank0/regions/a"].attrs.update(
            source_file="f.py", source_lineno=7, tags=np.array(["t"], dtype=h5py.string_dtype())
        )
    read = load(tmp_path / "x.h5")
    assert read.region_names == ["a", "a/b"]
    assert read["a"].num_calls_per_rank() == {0: 2, 1: 2}
    assert read["a"][1].exclusive_duration_ns == 5 + 13 - 9
    assert (read["a"].source_file, read["a"].source_lineno, read["a"].tags) == ("f.py", 7, ("t",))
    assert read.num_ranks == 2


# -- the reader and writer of scope-profiler 0.7.5 itself ----------------------------------

needs_peer = pytest.mark.skipif(
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


@needs_peer
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


@needs_peer
def test_its_inspect_command_reads_our_files(tmp_path):
    for results in (example(), aggregates()):
        write_profile(results, tmp_path / "x.h5")
        code = "import runpy; runpy.run_module('scope_profiler', run_name='__main__')"
        assert "solve" in peer(code, tmp_path, "inspect", "x.h5")


@needs_peer
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


# -- metadata ------------------------------------------------------------------------


def test_metadata_has_the_facts_and_nothing_private():
    facts = collect_metadata("night", start_time_ns=5, finalize_time_ns=9, mpi_size=4, num_nodes=2)
    assert set(facts) == set(
        "timestamp platform chip_information python_version scope_profiler_version "
        "omp_num_threads mpi_size num_nodes total_cores start_time_ns finalize_time_ns "
        "label".split()
    )
    assert (facts["start_time_ns"], facts["finalize_time_ns"], facts["label"]) == (5, 9, "night")
    assert (facts["mpi_size"], facts["num_nodes"]) == (4, 2)
    assert "label" not in collect_metadata()
    private = {os.environ.get("USER"), os.environ.get("HOSTNAME"), os.uname().nodename} - {None, ""}
    assert not any(str(value) in private for value in facts.values())


def test_metadata_says_what_the_library_says(monkeypatch):
    import datetime
    import platform

    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    facts = collect_metadata()
    assert facts["platform"] == platform.platform()
    assert facts["python_version"] == platform.python_version()
    assert facts["omp_num_threads"] == 3
    now = datetime.datetime.now(datetime.timezone.utc)
    age = now - datetime.datetime.fromisoformat(facts["timestamp"])
    assert datetime.timedelta(0) <= age < datetime.timedelta(seconds=5)
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert collect_metadata()["omp_num_threads"] >= 1
