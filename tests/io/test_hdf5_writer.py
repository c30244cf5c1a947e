"""HDF5 files: their layout, and that none is left half written."""

import json
import os
import signal
import stat
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from h5py_needed import h5py
from hdf5_support import (
    NOTES,
    NOW,
    aggregates,
    assert_same_calls,
    columns,
    contents,
    example,
    run,
)

import scope_profiler
from scope_profiler.io import (
    UnsupportedProfileError,
    hdf5_writer,
    load,
    replacing,
    safe_file,
    write_profile,
)
from scope_profiler.io.metadata_tables import PER_CALL
from scope_profiler.results import EventMetadata, Region
from scope_profiler._run.run_metadata import collect_metadata

# -- the layout --------------------------------------------------------------------


def test_columnar_layout(tmp_path):
    with h5py.File(write_profile(example(), tmp_path / "x.h5")) as file:
        assert dict(file.attrs) == {
            "scope_profiler_schema": 3,
            "storage_layout": "columnar",
            "num_ranks": 3,
            "event_data_available": True,
        }
        assert file.attrs["scope_profiler_schema"].dtype == np.int64
        assert sorted(file) == [
            "event_metadata", "events", "metadata", "rank0", "rank2", "rank_region_index",
            "region_table", "task_table", "thread_table",
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
        assert index["tags"].asstr()[2] == index["event_metadata"].asstr()[3] == "[]"
        assert index["metadata_tables"][...].tolist() == [0, -1, 0, -1]
        assert list(file["event_metadata"]) == ["0"]
        assert json.loads(file["event_metadata/0"][...].tobytes()) == NOTES
        summary = index["summary_statistics"]
        assert summary.dtype == np.dtype(
            [("total", "<i8"), ("minimum", "<i8"), ("maximum", "<i8"), ("first", "<i8"),
             ("last", "<i8"), ("start_minimum", "<i8"), ("end_maximum", "<i8"),
             ("gpu_count", "<u8"), ("gpu_total", "<i8"), ("mean", "<f8"), ("m2", "<f8")]
        )  # fmt: skip
        assert summary[0].tolist() == (
            330, 40, 200, 90, 40, NOW, NOW + 390, 0, 0, 110.0, pytest.approx(13400.0),
        )  # fmt: skip
        assert index["extended_statistics"][0].tolist() == (1, 330, 250, 200, -3, 7)
        unknown = np.iinfo(np.int64).min
        assert index["extended_statistics"][1].tolist() == (0, unknown, 1, unknown, unknown, 0)
        assert "recorded_statistics" not in index
        found = {name: (item.dtype.str, item[...].tolist()) for name, item in events.items()}
        assert found == {
            "start_deltas": ("<i8", [NOW, 100, 250, NOW + 5, NOW + 110]),
            "durations": ("<i8", [90, 200, 40, 1, 80]),
            "thread_ids": ("<i8", [0, 0, 1, -1, 0]),
            "task_ids": ("<i8", [-1, -1, 0, -1, -1]),
            "await_ns": ("<i8", [0, 0, 7, 0, 0]),
            "metadata_ids": ("<i4", [0, -1, 1, -1, 1]),
        }  # fmt: skip
        assert events["durations"].chunks is None
        assert file["metadata"].attrs["label"] == "night"
        assert file["metadata"].attrs["start_time_ns"].dtype == np.int64
        threads, tasks = file["thread_table"], file["task_table"]
        assert {name: column[...].tolist() for name, column in threads.items()} == {
            "ranks": [0, 0, 2],
            "index": [0, 1, 0],
            "name": [b"MainThread", "wörker".encode(), b"MainThread"],
            "ident": [1234567, -1, 7],
            "native_id": [4711, -1, 8],
            "daemon": [0, 1, 0],
            "start_ns": [-5, 10, 0],
            "end_ns": [-1, 500, -1],
            "cpu_ns": [900, -1, 5],
        }
        assert tasks["suspended_ns"][...].tolist() == [-1]
        assert tasks["kind"][...].tolist() == [b"task"]
        lines = file["rank0/line_profile/1"]
        assert dict(lines.attrs) == {
            "region": "solve", "filename": "f.py", "function": "g", "first_lineno": 3,
            "unit": 1e-9, "source": "def g(): ...",
        }  # fmt: skip
        assert [lines[name].dtype.str for name in ("line_numbers", "hits", "times")] == [
            "<i8", "<i8", "<f8",
        ]  # fmt: skip


def test_aggregate_layout(tmp_path):
    with h5py.File(write_profile(aggregates(), tmp_path / "x.h5")) as file:
        assert file.attrs["storage_layout"] == "aggregate"
        index = file["rank_region_index"]
        for name, dtype, numbers in (
            ("counts", "<u8", [4, 4, 4]),
            ("totals", "<i8", [100, 100, 100]),
            ("minimums", "<i8", [10, 10, 10]),
            ("maximums", "<i8", [40, 40, 40]),
            ("exclusives", "<i8", [60, 100, 100]),
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


# -- metadata of calls ---------------------------------------------------------------


def test_tables_that_regions_share_are_written_once(tmp_path):
    shared, other = [{"step": 1}, {"step": 2}], [{"step": 1}]
    named = {
        name: {0: columns([NOW], [5], event_metadata=EventMetadata([0], table))}
        for name, table in (("a", shared), ("b", other), ("c", shared))
    }
    path = write_profile(run(named), tmp_path / "x.h5")
    with h5py.File(path) as file:
        assert list(file["event_metadata"]) == ["0", "1"]
        assert file["rank_region_index/metadata_tables"][...].tolist() == [0, 1, 0]
    read = load(path)
    assert read["a"][0].event_metadata.table is read["c"][0].event_metadata.table
    assert read["a"][0].event_metadata.table == shared


@pytest.mark.parametrize("more", [0, 1])
def test_what_others_read_is_written_for_regions_of_few_calls(more, tmp_path):
    count = PER_CALL + more
    notes = EventMetadata(np.zeros(count, np.int32), [{"a": 1}])
    one = columns(np.arange(count), np.ones(count, np.int64), event_metadata=notes)
    path = write_profile(run({"x": {0: one}}), tmp_path / "x.h5")
    with h5py.File(path) as file:
        theirs = json.loads(file["rank_region_index/event_metadata"].asstr()[0])
    assert theirs == ([] if more else [{"a": 1}] * count)
    assert load(path)["x"][0].event_metadata == notes


class Unwritable:
    def __repr__(self):
        raise RuntimeError("no")


circle = {}
circle["itself"] = circle


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ((1, [2, (3,)]), [1, [2, [3]]]),
        (np.int32(7), 7),
        (np.float64(1.5), 1.5),
        (np.bool_(True), True),
        (np.longdouble(1.5), "1.5"),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (np.datetime64("2020-01-02"), "2020-01-02"),
        (Path("a/b"), "a/b"),
        (b"x\xff", "x\\xff"),
        ({"b", "a"}, ["a", "b"]),
        (datetime(2020, 1, 2, 3), "2020-01-02T03:00:00"),
        (Decimal("1.50"), "1.50"),
        (1 + 2j, "(1+2j)"),
        (MappingProxyType({"a": Path("b")}), {"a": "b"}),
        ({1: "a", None: "b", False: "c", (1, 2): "d", 1.5: "e"},
         {"1": "a", "null": "b", "false": "c", "[1, 2]": "d", "1.5": "e"}),
        (range(3), "range(0, 3)"),
        (int, "<class 'int'>"),
        (Unwritable(), "<Unwritable>"),
        ([10**5000], [hex(10**5000)]),
        (circle, {"itself": "..."}),
        ("\ud800", "\ud800"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".h5", ".json"])
def test_values_that_json_has_not_become_the_nearest_that_it_has(value, written, suffix, tmp_path):
    one = columns([NOW], [5], event_metadata=EventMetadata([0], [{"value": value}]))
    read = load(write_profile(run({"x": {0: one}}), tmp_path / f"x{suffix}"))
    assert read["x"][0].event_metadata[0] == {"value": written}


# -- how columns are stored ------------------------------------------------------------


def columns_of(path):
    with h5py.File(path) as file:
        return {name: (column.compression, column.compression_opts, column.shuffle, column.chunks)
                for name, column in file["events"].items()}  # fmt: skip


def long_run(count):
    notes = EventMetadata(np.arange(count) % 7, [{"step": step} for step in range(7)])
    return run(
        {
            "a": {0: columns(np.arange(count) * 100 + NOW, np.arange(count), event_metadata=notes)},
            "b": {0: columns(np.arange(count), np.arange(count), thread_ids=np.arange(count))},
        }
    )


@pytest.mark.parametrize(
    ("settings", "stored"),
    [
        ({}, (None, None, False, None)),
        ({"chunk_size": 1000}, (None, None, False, (1000,))),
        ({"chunk_size": 10**6}, (None, None, False, (50_000,))),
        ({"compression": "gzip"}, ("gzip", 4, True, (16_384,))),
        ({"compression": " GZIP ", "compression_level": 0}, ("gzip", 0, True, (16_384,))),
        ({"compression": "lzf", "chunk_size": 30_000}, ("lzf", None, True, (30_000,))),
        ({"compression": "auto"}, ("gzip", 1, True, (16_384,))),
        ({"compression": "auto", "compression_level": 9}, ("gzip", 9, True, (16_384,))),
        ({"compression": "none", "compression_level": 9}, (None, None, False, None)),
    ],
)
def test_settings_of_compression_are_followed(settings, stored, tmp_path):
    results = long_run(25_000)
    path = write_profile(results, tmp_path / "x.h5", **settings)
    assert set(columns_of(path)) == {"start_deltas", "durations", "thread_ids", "metadata_ids"}
    assert set(columns_of(path).values()) == {stored}
    assert_same_calls(load(path), results)


def test_auto_compresses_what_is_worth_it(tmp_path):
    small = write_profile(long_run(8_000), tmp_path / "small.h5", compression="auto")
    large = write_profile(long_run(9_000), tmp_path / "large.h5", compression="auto")
    assert set(columns_of(small).values()) == {(None, None, False, None)}
    assert columns_of(large)["durations"][0] == "gzip"
    assert large.stat().st_size < small.stat().st_size / 2


def test_columns_longer_than_a_write_are_compressed_whole(tmp_path):
    results = long_run(150_000)
    for chunk_size in (7_777, 200_000):
        path = write_profile(
            results, tmp_path / "x.h5", compression="gzip", chunk_size=chunk_size
        )
        assert_same_calls(load(path), results)


def test_no_calls_are_no_obstacle_to_compression(tmp_path):
    for results in (run({}), run({"x": {0: Region()}}), aggregates()):
        path = write_profile(results, tmp_path / "x.h5", compression="gzip", chunk_size=5)
        assert contents(load(path)) == contents(results)


@pytest.mark.parametrize("level", [None, 1, 22])
def test_zstd(level, tmp_path):
    pytest.importorskip("hdf5plugin")
    results = long_run(25_000)
    path = write_profile(results, tmp_path / "x.h5", compression="zstd", compression_level=level)
    assert path.stat().st_size < write_profile(results, tmp_path / "y.h5").stat().st_size / 4
    assert_same_calls(load(path), results)


# Makes a file that takes a filter which nobody has, as reading zstd without hdf5plugin does.
UNKNOWN_FILTER = 32_999


def test_a_filter_that_is_missing_is_named(tmp_path, monkeypatch):
    path = tmp_path / "x.h5"
    write_profile(long_run(100), path)
    with h5py.File(path, "r+") as file:
        del file["events/durations"]
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((200,))
        properties.set_filter(UNKNOWN_FILTER, h5py.h5z.FLAG_OPTIONAL)
        h5py.h5d.create(
            file["events"].id, b"durations", h5py.h5t.STD_I64LE,
            h5py.h5s.create_simple((200,)), properties,
        )  # fmt: skip
    message = rf"x.h5 is compressed with {UNKNOWN_FILTER}, which needs hdf5plugin: pip install"
    with pytest.raises(UnsupportedProfileError, match=message):
        load(path)


def without_leftovers(folder):
    """The names in a folder, hidden ones included."""
    return sorted(os.listdir(folder))


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


@pytest.mark.parametrize("name", ["x.h5", "x.json", "x.json.gz"])
def test_a_file_keeps_its_mode(tmp_path, name):
    path = write_profile(example(), tmp_path / name)
    for mode in (0o600, 0o640, 0o664):
        path.chmod(mode)
        write_profile(example(), path)
        assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="chown takes root")
def test_a_file_keeps_its_owner_and_group(tmp_path):
    path = write_profile(example(), tmp_path / "x.h5")
    os.chown(path, 12345, 54321)
    write_profile(example(), path)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


@pytest.mark.skipif(safe_file.fcntl is None, reason="there are no locks here")
def test_what_killed_writers_leave_is_removed(tmp_path, monkeypatch):
    ended = in_a_process("""
import os, signal, sys
from scope_profiler.io import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
""", tmp_path / "x.h5")
    assert ended.returncode == -9 and len(without_leftovers(tmp_path)) == 1
    with safe_file.replacing(tmp_path / "a.txt") as file:      # it is young
        assert len(without_leftovers(tmp_path)) == 2
        monkeypatch.setattr(safe_file, "_YOUNG", -1)
        path = write_profile(example(), tmp_path / "x.h5")
        file.write(b"whole")                # who is still there may go on
    assert without_leftovers(tmp_path) == ["a.txt", "x.h5"]
    assert (tmp_path / "a.txt").read_bytes() == b"whole" and contents(load(path))


@pytest.mark.skipif(not hasattr(signal, "raise_signal"), reason="there are no signals here")
def test_what_a_handler_raises_while_hdf5_is_written_is_what_is_raised(tmp_path, monkeypatch):
    class Timeout(Exception):
        pass

    def handler(number, frame):
        raise Timeout

    path = write_profile(example(), tmp_path / "x.h5")
    before = path.read_bytes()
    handlers = {number: signal.signal(number, handler) for number in (signal.SIGUSR1, signal.SIGINT)}
    try:
        for method in ("write", "seek", "truncate", "flush", "tell"):
            for number in handlers:
                ordinary = getattr(safe_file.SafeFile, method)

                def signalled(self, *arguments, number=number, ordinary=ordinary):
                    signal.raise_signal(number)
                    return ordinary(self, *arguments)

                monkeypatch.setattr(safe_file.SafeFile, method, signalled)
                try:
                    write_profile(example(), path)
                except Timeout:
                    assert path.read_bytes() == before
                else:
                    assert method == "tell"     # which HDF5 need not call
                monkeypatch.undo()
                assert signal.getsignal(number) is handler
                assert without_leftovers(tmp_path) == ["x.h5"]
    finally:
        for number, old in handlers.items():
            signal.signal(number, old)


def test_an_exception_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_profile(example(), tmp_path / "x.h5")
    before = path.read_bytes()
    for error in (RuntimeError("no"), KeyboardInterrupt()):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr(hdf5_writer, "_write_function", fail)
        with pytest.raises(type(error)):
            write_profile(example(), path)
        assert path.read_bytes() == before
        assert without_leftovers(tmp_path) == ["x.h5"]


def test_an_interrupt_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_profile(example(), tmp_path / "x.h5")
    before = path.read_bytes()
    ordinary = safe_file.SafeFile.write

    def interrupted(self, data):
        if self.tell() > 4000 and self._error is None:
            self._error = KeyboardInterrupt()
        return ordinary(self, data)

    monkeypatch.setattr(safe_file.SafeFile, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_profile(example(), path)
    assert path.read_bytes() == before
    assert without_leftovers(tmp_path) == ["x.h5"]


def in_a_process(code, *arguments):
    """Run code that has all of `hdf5_support`; what it returned and printed."""
    folders = [str(Path(scope_profiler.__file__).parents[1]), str(Path(__file__).parent)]
    return subprocess.run(
        [sys.executable, "-c", f"from hdf5_support import *\n{code}", *map(str, arguments)],
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
from scope_profiler.io import write_profile
many = run({f"n{i}": {0: columns(np.arange(50), np.arange(50))} for i in range(2000)})
for limit in (100, 6_000, 20_000, 500_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write_profile(many, sys.argv[1])
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
from scope_profiler.io import write_profile
os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
write_profile(example(), sys.argv[1])
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
    with pytest.raises(ValueError, match=r"file_path must end in one of .h5.*; got .*x\.txt"):
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
