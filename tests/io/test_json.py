"""JSON files: that nothing is lost on the way, that they are JSON, and what is made of others."""

import gzip
import json
import math
import random
import sys
import tracemalloc

import numpy as np
import pytest
from conftest import examples
from hdf5_support import NOW, aggregates, assert_same_calls, columns, contents, example, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from io_strategies import results

from scope_profiler.io import JSONProfileError, export_json, load, read_json, write_json
from scope_profiler.io.metadata_tables import PER_CALL
from scope_profiler.results import BLOCK, EventMetadata, Region


def strictly(path):
    """The document in a file, which has no NaN and no infinity."""
    text = path.read_text("ascii")

    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


# -- there and back ----------------------------------------------------------------


@pytest.mark.parametrize("results", [example(), aggregates(), run({}), run({"x": {}})])
@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
def test_what_is_written_is_read(results, suffix, tmp_path):
    path = write_json(results, tmp_path / f"x{suffix}")
    read = load(path)
    assert contents(read) == contents(results)
    assert read.file_path == path
    for region in read:
        for rank in region:
            assert region[rank].start_times_ns.dtype == np.int64


@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(results(), st.sampled_from([None, 0, 2, "\t"]))
def test_writing_and_reading_is_the_identity(tmp_path_factory, results, indent):
    path = write_json(results, tmp_path_factory.mktemp("identity") / "x.json", indent=indent)
    strictly(path)
    assert contents(load(path)) == contents(results)


def test_columns_longer_than_a_block(tmp_path):
    count = 2 * BLOCK + 3
    notes = EventMetadata(np.arange(count) % 5, [{"step": step} for step in range(5)])
    results = run(
        {"x": {0: columns(np.arange(count) * 3, np.arange(count), event_metadata=notes)}}
    )
    assert_same_calls(load(write_json(results, tmp_path / "x.json")), results)


def test_memory_does_not_grow_with_the_columns(tmp_path):
    count = 300_000
    results = run({"a": {0: columns(np.arange(count), np.ones(count, np.int64))}})
    write_json(run({}), tmp_path / "x.json")
    tracemalloc.start()
    write_json(results, tmp_path / "x.json")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The end times, and a block as numbers and as text.
    assert peak < 8 * count + 16 * 2**20


# -- what is in the file -----------------------------------------------------------


def test_the_document(tmp_path):
    document = strictly(write_json(example(), tmp_path / "x.json"))
    assert list(document) == [
        "format", "format_version", "exporter", "time_unit", "num_ranks", "event_data_available",
        "metadata", "region_names", "regions", "event_metadata_tables", "threads", "tasks",
        "line_profile", "nonfinite",
    ]  # fmt: skip
    assert (document["format"], document["format_version"]) == ("scope-profiler-profile", 1)
    assert document["exporter"].startswith("scope-profiler@")
    assert document["time_unit"] == "nanoseconds"
    assert (document["num_ranks"], document["event_data_available"]) == (3, True)
    assert document["metadata"] == example().metadata
    assert [(row["name"], row["rank"]) for row in document["regions"]] == [
        ("solve", 0), ("solve", 2), ("inner", 0), ("never", 0),
    ]  # fmt: skip
    assert document["regions"][0] == {
        "name": "solve", "rank": 0, "source_file": "f.py", "source_lineno": 7,
        "source_text": "with region('solve'):\n", "tags": ["a", "ü"],
        "start_times_ns": [NOW, NOW + 100, NOW + 350],
        "end_times_ns": [NOW + 90, NOW + 300, NOW + 390],
        "thread_ids": [0, 0, 1], "task_ids": [-1, -1, 0], "await_ns": [0, 0, 7],
        "exclusive_total_ns": 250,
        "metadata_table": 0, "metadata_ids": [0, -1, 1],
        "event_metadata": [{"step": 0}, {}, {"step": 2, "x": "y"}],
        "extended_statistics": {
            "errors": 1, "inclusive": 330, "exclusive": 250,
            "corrected_exclusive": 200, "corrected_total": -3,
        },
    }  # fmt: skip
    assert document["regions"][3].keys() == {
        "name", "rank", "start_times_ns", "end_times_ns", "extended_statistics",
    }  # fmt: skip
    assert document["event_metadata_tables"] == [[{"step": 0}, {"step": 2, "x": "y"}]]
    assert document["threads"]["0"][1] == {
        "index": 1, "name": "wörker", "ident": -1, "native_id": -1, "daemon": True,
        "start_ns": 10, "end_ns": 500, "cpu_ns": -1,
    }  # fmt: skip
    assert document["tasks"]["0"][0]["suspended_ns"] == -1
    assert document["line_profile"]["2"][0]["times"] == [1500.0, 2.5]
    assert document["nonfinite"] == []


def test_what_json_has_no_number_for_is_null_and_said_elsewhere(tmp_path):
    lines = {
        "region": "r", "filename": "f", "function": "g", "first_lineno": 1, "unit": math.inf,
        "line_numbers": [1, 2], "hits": [1, 2], "times": [math.nan, 2.0],
    }  # fmt: skip
    notes = EventMetadata([0], [{"x": [math.nan, np.float32(-np.inf)]}])
    results = run(
        {"x": {0: columns([1], [2], event_metadata=notes)}}, {"a": math.inf}, {0: [lines]}
    )
    path = write_json(results, tmp_path / "x.json")
    document = strictly(path)
    assert document["metadata"] == {"a": None}
    assert document["regions"][0]["event_metadata"] == [{"x": [None, None]}]
    assert document["line_profile"]["0"][0]["times"] == [None, 2.0]
    assert document["nonfinite"] == [
        [["metadata", "a"], "inf"],
        [["regions", 0, "event_metadata", 0, "x", 0], "nan"],
        [["regions", 0, "event_metadata", 0, "x", 1], "-inf"],
        [["event_metadata_tables", 0, 0, "x", 0], "nan"],
        [["event_metadata_tables", 0, 0, "x", 1], "-inf"],
        [["line_profile", "0", 0, "unit"], "inf"],
        [["line_profile", "0", 0, "times", 0], "nan"],
    ]
    read = load(path)
    assert read.metadata == {"a": math.inf}
    assert math.isnan(read.line_profile[0][0]["times"][0])
    noted = read["x"][0].event_metadata[0]["x"]
    assert math.isnan(noted[0]) and noted[1] == -math.inf


@pytest.mark.parametrize("more", [0, 1])
def test_what_others_read_is_written_for_regions_of_few_calls(more, tmp_path):
    count = PER_CALL + more
    notes = EventMetadata(np.zeros(count, np.int32), [{"a": 1}])
    one = columns(np.arange(count), np.ones(count, np.int64), event_metadata=notes)
    path = write_json(run({"x": {0: one}}), tmp_path / "x.json")
    (row,) = strictly(path)["regions"]
    assert row.get("event_metadata") == (None if more else [{"a": 1}] * count)
    assert load(path)["x"][0].event_metadata == notes


def test_equal_results_are_equal_bytes(tmp_path):
    first = write_json(example(), tmp_path / "x.json.gz").read_bytes()
    second = write_json(example(), tmp_path / "other.JSON.GZ").read_bytes()
    assert first == second
    assert first[4:8] == b"\0\0\0\0"  # the time
    plain = write_json(example(), tmp_path / "x.json")
    assert gzip.decompress(first) == plain.read_bytes()


def test_indent_sets_members_in_and_keeps_columns_on_a_line(tmp_path):
    plain = write_json(example(), tmp_path / "x.json")
    assert plain.read_text().count("\n") == 0
    set_in = write_json(example(), tmp_path / "y.json", indent=2)
    assert strictly(set_in) == strictly(plain)
    lines = set_in.read_text().splitlines()
    assert '  "format": "scope-profiler-profile",' in lines
    assert f'      "start_times_ns": [{NOW},{NOW + 100},{NOW + 350}],' in lines
    tabbed = write_json(example(), tmp_path / "z.json", indent="\t").read_text().splitlines()
    assert '\t"format_version": 1,' in tabbed


@pytest.mark.parametrize(
    ("indent", "error", "text"),
    [
        (True, TypeError, "indent must be an int, a str or None; got True"),
        (1.5, TypeError, "indent must be an int, a str or None; got 1.5"),
        (-1, ValueError, "indent must be at least 0; got -1"),
        ("x", ValueError, "indent must be of spaces and tabs; got 'x'"),
    ],
)
def test_bad_indents_are_refused(indent, error, text, tmp_path):
    with pytest.raises(error, match=text):
        write_json(example(), tmp_path / "x.json", indent=indent)
    assert not list(tmp_path.iterdir())


def test_a_part_of_the_results(tmp_path):
    part = load(write_json(example(), tmp_path / "x.json", include="s|i", exclude=["in"], ranks=2))
    assert part.region_names == ["solve"]
    assert part["solve"].ranks == [2]
    assert list(part.threads) == list(part.line_profile) == [2]
    assert part.tasks == {}
    assert part.num_ranks == 3
    with pytest.raises(ValueError, match="include takes regular expressions, got '\\('"):
        write_json(example(), tmp_path / "y.json", include="(")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_folders_are_made_and_an_exception_leaves_the_old_file(tmp_path):
    path = write_json(example(), tmp_path / "a" / "b" / "x.json")
    before = path.read_bytes()

    class Failing(Region):
        @property
        def start_times_ns(self):
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        write_json(run({"x": {0: Failing()}}), path)
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == ["x.json"]


# -- several runs --------------------------------------------------------------------


def test_a_file_for_each_run(tmp_path, capsys):
    runs = [run({}, {"label": label}) for label in ("128 ranks", "128 ranks", "a/b", "!!")]
    paths = export_json(runs, tmp_path / "x.json.gz")
    assert [path.name for path in paths] == [
        "x_128_ranks.json.gz", "x_128_ranks_2.json.gz", "x_a_b.json.gz", "x_run.json.gz",
    ]  # fmt: skip
    assert [load(path).label for path in paths] == [one.label for one in runs]
    assert capsys.readouterr().out == "".join(f"Wrote {path}\n" for path in paths)


def test_one_run_keeps_the_name(tmp_path, capsys):
    (path,) = export_json(example(), tmp_path / "x", ranks=[2], include="solve", verbose=False)
    assert path == tmp_path / "x.json"
    assert load(path)["solve"].ranks == [2]
    assert export_json([example()], tmp_path / "y.json", indent=1, verbose=False) == [
        tmp_path / "y.json"
    ]
    assert capsys.readouterr().out == ""


def test_runs_that_another_rank_gathered_are_left_out(tmp_path):
    assert export_json(run({}, is_root=False), tmp_path / "x.json") == []
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("runs", "error", "text"),
    [
        ([], ValueError, "profiling_data must be one run or several; got none"),
        (["x"], TypeError, "profiling_data takes ProfilingResults, got str: 'x'"),
    ],
)
def test_what_are_no_runs(runs, error, text, tmp_path):
    with pytest.raises(error, match=text):
        export_json(runs, tmp_path / "x.json")


# -- files that are not as they should be ----------------------------------------------


def test_truncated_files_say_so(tmp_path):
    for suffix in (".json", ".json.gz"):
        path = write_json(example(), tmp_path / f"x{suffix}")
        whole = path.read_bytes()
        for length in range(2, len(whole), 97):
            path.write_bytes(whole[:length])
            with pytest.raises(JSONProfileError) as caught:
                load(path)
            assert str(path) in str(caught.value)


@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
def test_damaged_files_are_read_or_not_a_profile(suffix, tmp_path):
    path = write_json(example(), tmp_path / f"x{suffix}")
    whole = path.read_bytes()
    failed = 0
    for seed in range(80):
        chance = random.Random(seed)
        data = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(2, len(data))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            contents(read_json(path))
        except JSONProfileError as error:
            assert str(path) in str(error)
            failed += 1
    assert failed > 40


def change(document, *path, to):
    *within, last = path
    for step in within:
        document = document[step]
    document[last] = to


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (lambda d: change(d, "format", to="speedscope"), "not a profile"),
        (lambda d: change(d, "format_version", to=2), "version 2 of the format; .* up to 1"),
        (lambda d: change(d, "format_version", to="x"), "invalid literal"),
        (lambda d: change(d, "regions", to=5), "not iterable"),
        (lambda d: d["regions"][0].pop("name"), "'name' is missing"),
        (lambda d: d["regions"][0].pop("end_times_ns"), "3 start times, but 0 end times"),
        (lambda d: change(d, "regions", 0, "rank", to=-1), "rank must be at least 0"),
        (lambda d: change(d, "regions", 0, "rank", to=1 << 32), "rank must be .* got 4294967296"),
        (lambda d: change(d, "regions", 0, "end_times_ns", to=[0, 0, 0]), "negative duration"),
        (lambda d: change(d, "regions", 0, "rank", to=2), "region 'solve' has rank 2 twice"),
        (lambda d: change(d, "regions", 0, "start_times_ns", to=[1.5, 2, 3]), "must be integers"),
        (lambda d: change(d, "regions", 0, "start_times_ns", to=[1, None, 3]), "."),
        (lambda d: change(d, "regions", 0, "start_times_ns", to=[[1], [2], [3]]), "."),
        (lambda d: change(d, "regions", 0, "start_times_ns", to=[1, 2, 10**30]), "integers"),
        (lambda d: change(d, "regions", 0, "start_times_ns", to=[3, 2, 1]), "sorted"),
        (lambda d: change(d, "regions", 0, "thread_ids", to=[1]), "one value per call, 3; got 1"),
        (lambda d: change(d, "regions", 0, "metadata_ids", to=[0, 1, 2]), "ids must be"),
        (lambda d: change(d, "regions", 0, "metadata_table", to=1), "index out of range"),
        (lambda d: change(d, "event_metadata_tables", 0, to=[1]), "list of objects"),
        (lambda d: change(d, "regions", 0, "tags", to="ab"), "tags must be several"),
        (lambda d: change(d, "threads", "0", 0, "ident", to="x"), "ident takes an int"),
        (lambda d: change(d, "line_profile", "x", to=[]), "invalid literal"),
        (lambda d: d["line_profile"]["0"][0].pop("times"), "line_profile entries need times"),
        (lambda d: change(d, "nonfinite", to=[[["x", "y"], "nan"]]), "'x' is missing"),
        (lambda d: change(d, "metadata", to=7), "."),
    ],
)
def test_damage_is_named(edit, text, tmp_path):
    path = write_json(example(), tmp_path / "x.json")
    document = strictly(path)
    edit(document)
    path.write_text(json.dumps(document))
    with pytest.raises(JSONProfileError, match=rf"cannot read .*x\.json: .*{text}") as caught:
        load(path)
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[1, 2]", "{}", '"x"', "[" * 100_000, "\x00", f'{{"format": 1{"0" * 5000}}}'],
)
def test_what_is_no_profile(text, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(JSONProfileError, match=r"cannot read .*x\.json: ."):
        read_json(path)


def test_what_is_compressed_and_no_profile(tmp_path):
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(b"nonsense"))
    with pytest.raises(JSONProfileError, match="x.json.gz"):
        load(path)


def test_absent_files_are_absent(tmp_path):
    with pytest.raises(FileNotFoundError, match="x.json"):
        read_json(tmp_path / "x.json")
    with pytest.raises(IsADirectoryError):
        read_json(tmp_path)


# -- files by others ---------------------------------------------------------------------


def foreign(tmp_path, *regions, **more):
    document = {"format": "scope-profiler-profile", "regions": regions, **more}
    (tmp_path / "x.json").write_text(json.dumps(document))
    return load(tmp_path / "x.json")


def test_what_others_leave_out(tmp_path):
    read = foreign(
        tmp_path,
        {
            "name": "a", "rank": 0, "start_times_ns": [30, 10], "end_times_ns": [35, 25],
            "thread_ids": [-1, -1], "event_metadata": [{"x": 1}, {}],
        },
        {"name": "b", "rank": 0, "start_times_ns": [12], "end_times_ns": [14]},
        {
            "name": "c", "rank": 1,
            "aggregate": {"count": 2, "total": 10, "minimum": 4, "maximum": 6, "exclusive": 9,
                          "mean": 5.0, "m2": 2.0, "start_minimum": 3, "gpu_count": 0},
        },
    )  # fmt: skip
    assert read["a"][0].start_times_ns.tolist() == [10, 30]
    assert read["a"][0].durations_ns.tolist() == [15, 5]
    assert read["a"][0].event_metadata == [{}, {"x": 1}]
    assert read["a"][0].thread_ids is None
    assert read["a"][0].exclusive_duration_ns == 20 - 2
    assert read["b"][0].exclusive_duration_ns == 2
    assert read["c"][1].exclusive_duration_ns == 9
    assert read["c"][1].statistics == {
        "count": 2, "total": 10, "minimum": 4, "maximum": 6, "mean": 5.0, "std": 1.0,
        "first_start": 3,
    }  # fmt: skip
    assert read.num_ranks == 2
    assert read.threads == read.tasks == read.line_profile == read.metadata == {}


def test_rows_of_threads_may_lack_columns(tmp_path):
    read = foreign(tmp_path, threads={"3": [{"index": 4, "name": None, "start_ns": 7}]})
    (thread,) = read.threads[3]
    assert (thread.index, thread.rank, thread.name, thread.start_ns) == (4, 3, "", 7)
    assert (thread.ident, thread.daemon, thread.end_ns) == (None, False, None)


def test_integers_of_any_size_in_metadata(tmp_path):
    # Python reads and writes so many digits, and no more.
    limit = sys.get_int_max_str_digits() or 4300
    notes = EventMetadata([0], [{"x": 10 ** min(limit - 1, 3000)}])
    results = run({"x": {0: columns([1], [2], event_metadata=notes)}})
    assert contents(load(write_json(results, tmp_path / "x.json"))) == contents(results)
