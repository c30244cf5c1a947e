"""HDF5 files: that nothing is lost on the way, and what is made of damaged and older ones."""

import random
import tracemalloc

import numpy as np
import pytest
from conftest import examples
from h5py_needed import h5py
from hdf5_support import NOW, aggregates, assert_same_calls, columns, contents, example, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from io_strategies import results

from scope_profiler.io import (
    CorruptProfileError,
    UnsupportedProfileError,
    load,
    read_h5_summary,
    write_profile,
)
from scope_profiler.io.hdf5_reader import read_hdf5
from scope_profiler.results import BLOCK, Region

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


@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(results(), st.sampled_from([None, "auto", "gzip", "lzf"]), st.sampled_from([None, 1, 4]))
def test_writing_and_reading_is_the_identity(tmp_path_factory, results, compression, chunk_size):
    path = tmp_path_factory.mktemp("identity") / "x.h5"
    write_profile(results, path, compression=compression, chunk_size=chunk_size)
    assert contents(load(path)) == contents(results)


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
    assert_same_calls(load(write_profile(results, tmp_path / "x.h5")), results)


def test_texts_that_hdf5_cannot_hold_are_kept(tmp_path):
    results = run({"a\0b": {0: Region(source_file="\ud800", tags=["\0"])}}, {"k": "\0", "": [""]})
    path = write_profile(results, tmp_path / "x.h5")
    with h5py.File(path) as file:
        assert file["region_table/names"].asstr()[0] == "a\N{SYMBOL FOR NULL}b"
        assert file["rank_region_index/source_files"].asstr()[0] == "\\ud800"
        assert file["metadata"].attrs["k"] == "\N{SYMBOL FOR NULL}"
    assert contents(load(path)) == contents(results)


def test_metadata_of_any_size_is_kept(tmp_path):
    results = run({}, {"k" * 70_000: 1, "text": "x" * 100_000, "list": ["y"] * 20_000})
    read = load(write_profile(results, tmp_path / "x.h5"))
    assert read.metadata == results.metadata


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


# -- files that are not as they should be ----------------------------------------------


def test_absent_files_are_absent(tmp_path):
    with pytest.raises(FileNotFoundError, match="x.h5"):
        read_hdf5(tmp_path / "x.h5")
    with pytest.raises(IsADirectoryError):
        read_hdf5(tmp_path)


def test_files_that_are_open_are_read(tmp_path):
    path = write_profile(example(), tmp_path / "x.h5")
    with h5py.File(path):
        assert contents(load(path)) == contents(example())


def test_truncated_files_are_corrupt(tmp_path):
    path = write_profile(example(), tmp_path / "x.h5")
    whole = path.read_bytes()
    for length in range(8, len(whole), 997):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptProfileError, match="x.h5"):
            load(path)


def damaged(whole, seed):
    """The bytes of a file with one to three of them changed, or a stretch of them gone."""
    chance = random.Random(seed)
    data = bytearray(whole)
    if seed % 8 == 0:
        start = chance.randrange(len(data))
        data[start : start + 100] = bytes(100)
    for _ in range(chance.randint(1, 3)):
        # Not in the many bytes that are 0, if possible.
        places = [chance.randrange(len(data)) for _ in range(8)]
        data[next((place for place in places if data[place]), 0)] = chance.randrange(256)
    return bytes(data)


@pytest.mark.usefixtures("hdf5_for_damaged_files")
@pytest.mark.parametrize("make", [example, aggregates])
def test_damaged_files_are_read_or_corrupt(make, tmp_path):
    path = write_profile(make(), tmp_path / "x.h5")
    whole = path.read_bytes()
    failed = 0
    for seed in range(80):
        path.write_bytes(damaged(whole, seed))
        try:
            contents(load(path))
        except (CorruptProfileError, UnsupportedProfileError) as error:
            assert str(path) in str(error)
            failed += 1
    assert 8 < failed < 80


@pytest.mark.usefixtures("hdf5_for_damaged_files")
@pytest.mark.parametrize("size", [0x10, (1 << 64) - 0x10, (1 << 64) - 1])
def test_a_damaged_heap_of_texts_does_not_hold_hdf5_up(size, tmp_path):
    path = write_profile(run({"region": {0: Region()}}), tmp_path / "x.h5")
    whole = path.read_bytes()
    # The size of the object that holds the name. What follows it becomes free space of no size,
    # from which HDF5 would go to the next forever; or it comes to nothing in 64 bits, or to a size of 0.
    at = whole.index(b"\x06\0\0\0\0\0\0\0region")
    path.write_bytes(whole[:at] + size.to_bytes(8, "little") + whole[at + 8 :])
    with pytest.raises(CorruptProfileError, match="heap"):
        load(path)


@pytest.mark.parametrize("name", ["region_table/names", "rank_region_index/region_ids"])
def test_more_rows_than_the_file_can_hold_are_not_looked_for(name, tmp_path):
    def edit(file):
        dtype = file[name].dtype
        del file[name]
        file.create_dataset(name, (1 << 40,), dtype, chunks=(1024,))

    with pytest.raises(CorruptProfileError, match=f"{name} has {1 << 40} values, more than"):
        load(edited(tmp_path, edit))


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
        (lambda file: replace(file, "events/durations", [1, 2, 3, 4, -5]), "duration, -5 ns"),
        (lambda file: file.move("rank0", "rank4294967296"), "a rank must be .* got 4294967296"),
        (lambda file: replace(file, "rank0/line_profile/0/hits", [1]), "hits"),
        (lambda file: replace(file, "events/metadata_ids", [0, 5, 1, -1, 1]), "ids must be"),
        (lambda file: file.__delitem__("events/metadata_ids"), "no metadata_ids"),
        (lambda file: replace(file, "event_metadata/0", list(b"[1]")), "list of objects"),
        (lambda file: file.__delitem__("event_metadata/0"), "0"),
        (lambda file: file.__delitem__("thread_table/ranks"), "thread_table/ranks is missing"),
        (lambda file: replace(file, "thread_table/index", [0, 1]), "shorter"),
        (lambda file: file["rank_region_index/tags"].__setitem__(0, b"[1"), "cannot read"),
        (lambda file: file["rank_region_index/tags"].__setitem__(0, b"[1]"), "tags must be str"),
    ],
)
def test_damage_is_named(tmp_path, edit, text):
    with pytest.raises(CorruptProfileError, match=text):
        load(edited(tmp_path, edit))


def test_later_schemas_are_not_guessed_at(tmp_path):
    path = edited(tmp_path, lambda file: file.attrs.__setitem__("scope_profiler_schema", 4))
    for read in (load, read_h5_summary):
        with pytest.raises(UnsupportedProfileError, match="x.h5 has schema 4; .* up to 3"):
            read(path)


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
    replace(file, "events/task_ids", [-1, 0, -1, -1, -1])


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


def test_metadata_as_others_write_it(tmp_path):
    def edit(file):
        strip_to_schema_3(file)
        del file["event_metadata"], file["rank_region_index/metadata_tables"]
        del file["events/metadata_ids"]

    read = load(edited(tmp_path, edit))
    assert read["solve"][0].event_metadata == [{"step": 0}, {"step": 2, "x": "y"}, {}]
    assert read["inner"][0].event_metadata == [{"step": 2, "x": "y"}]
    assert not read["solve"][2].has_event_metadata


def test_schema_2(tmp_path):
    def edit(file):
        strip_to_schema_3(file)
        file.attrs["scope_profiler_schema"] = 2
        events = file["events"]
        del events["start_deltas"], events["durations"]
        del events["thread_ids"], events["task_ids"], events["await_ns"]
        events["start_times"] = np.array([10, 20, 40, 5, 21])
        events["end_times"] = np.array([15, 33, 55, 6, 31])

    read = load(edited(tmp_path, edit))
    assert read["solve"][0].end_times_ns.tolist() == [15, 33, 55]
    assert read["solve"][0].exclusive_duration_ns == 5 + 3 + 15
    assert read["solve"].tags == ("a", "ü")


def test_texts_that_are_empty_stand_for_nothing(tmp_path):
    def edit(file):
        strip_to_schema_3(file)
        del file["event_metadata"], file["rank_region_index/metadata_tables"]
        del file["events/metadata_ids"]
        for name in ("tags", "event_metadata", "source_files", "source_texts"):
            file[f"rank_region_index/{name}"][:] = [b""] * 4

    read = load(edited(tmp_path, edit))["solve"]
    assert (read.tags, read.source_file) == ((), None) and not read[0].has_event_metadata


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
