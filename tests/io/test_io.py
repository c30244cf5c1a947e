"""Files of any format: which one it is, and reading and writing it by contents or by name."""

import json
import pickle
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from h5py_needed import h5py
from hdf5_support import NOW, aggregates, columns, contents, example, run

import scope_profiler.io
from scope_profiler.io import (
    CorruptProfileError,
    JSONProfileError,
    UnsupportedProfileError,
    check_compression,
    load,
    read_h5,
    read_h5_summary,
    read_json,
    read_profile,
    sniff_profile_format,
    write_profile,
)

HTML = b"<!doctype html>"
HDF5 = b"\x89HDF\r\n\x1a\n"


# -- which format a file has -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bytes_", "format"),
    [
        ("x.txt", HDF5, "hdf5"),
        ("x.h5", b"{}", "json"),
        ("x.h5", b" \n\t{}", "json"),
        ("x.h5", b"\xef\xbb\xbf{}", "json"),
        ("x.h5", b"\x1f\x8b\x08", "json"),
        ("x.json", HTML, "html"),
        ("x.json", b"\n<html>", "html"),
        ("x.json", b"", "json"),
        ("x.JSON.GZ", b"?", "json"),
        ("x.htm", b"?", "html"),
        ("x.h5", b"?", "hdf5"),
        ("x", b"?", "hdf5"),
    ],
)
def test_contents_tell_the_format_or_else_the_name(name, bytes_, format, tmp_path):
    path = tmp_path / name
    path.write_bytes(bytes_)
    assert sniff_profile_format(path) == sniff_profile_format(str(path)) == format


@pytest.mark.parametrize(
    "read", [sniff_profile_format, load, read_profile, read_h5, read_h5_summary]
)
def test_absent_files_are_absent(read, tmp_path):
    with pytest.raises(FileNotFoundError, match="x.h5"):
        read(tmp_path / "x.h5")
    with pytest.raises(IsADirectoryError):
        read(tmp_path)


@pytest.mark.parametrize(
    ("bytes_", "error", "text"),
    [
        (b"", CorruptProfileError, "the file is empty"),
        (b"hello", CorruptProfileError, "not a profile; it starts with neither HDF5, JSON nor"),
        (HDF5, CorruptProfileError, "cannot read"),
        (b'{"format": 1}', JSONProfileError, "this is JSON, but not a profile"),
        (b"\x1f\x8b\x08", JSONProfileError, "Compressed file ended"),
        (HTML, UnsupportedProfileError, "HTML report, which shows results and does not hold them"),
    ],
)
def test_other_files_are_told_apart(bytes_, error, text, tmp_path):
    path = tmp_path / "x.h5"
    path.write_bytes(bytes_)
    with pytest.raises(error, match=text) as caught:
        load(path)
    assert str(path) in str(caught.value)


# -- reading -------------------------------------------------------------------------------


def test_load_goes_by_contents_and_read_profile_by_name(tmp_path):
    as_json = write_profile(example(), tmp_path / "x.json").rename(tmp_path / "x.h5")
    assert contents(load(as_json)) == contents(read_json(as_json)) == contents(example())
    with pytest.raises(CorruptProfileError, match="x.h5"):
        read_profile(as_json)
    as_hdf5 = write_profile(example(), tmp_path / "y.h5").rename(tmp_path / "y.json")
    assert contents(load(as_hdf5)) == contents(read_h5(as_hdf5)) == contents(example())
    with pytest.raises(JSONProfileError, match="y.json"):
        read_profile(as_hdf5)
    for name in ("a.json", "b.json.gz", "c.h5", "d.HDF5"):
        assert contents(read_profile(write_profile(example(), tmp_path / name)))
    without_suffix = (tmp_path / "c.h5").rename(tmp_path / "c")
    assert contents(read_profile(without_suffix)) == contents(example())
    with pytest.raises(UnsupportedProfileError, match="z.html is an HTML report"):
        read_profile(tmp_path / "z.html")


@pytest.mark.parametrize("read", [load, read_profile, read_h5, read_h5_summary])
def test_reading_says_what_it_found(read, tmp_path, capsys):
    path = write_profile(example(), tmp_path / "x.h5")
    read(path)
    assert capsys.readouterr().out == ""
    read(path, verbose=True)
    assert capsys.readouterr().out == f"{path}: 3 region(s) on 3 rank(s), 5 call(s)\n"


def test_reading_json_says_what_it_found(tmp_path, capsys):
    read_json(write_profile(example(), tmp_path / "x.json"), verbose=True)
    assert "x.json: 3 region(s) on 3 rank(s), 5 call(s)" in capsys.readouterr().out


def test_errors_are_pickled():
    for kind in (CorruptProfileError, JSONProfileError):
        error = pickle.loads(pickle.dumps(kind("a/b", "why")))
        assert (str(error), error.path, error.reason) == ("cannot read a/b: why", "a/b", "why")
    assert issubclass(CorruptProfileError, OSError)
    assert issubclass(JSONProfileError, ValueError)


# -- summaries -----------------------------------------------------------------------------


def test_a_summary_has_everything_but_the_calls(tmp_path):
    path = write_profile(example(), tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        del file["events"], file["event_metadata"]  # which are not looked at
    summary, whole = read_h5_summary(path), example()
    assert summary.region_names == whole.region_names
    assert not summary.has_event_data
    assert summary.metadata == whole.metadata
    assert (summary.threads, summary.tasks) == (whole.threads, whole.tasks)
    assert list(summary.line_profile) == [0, 2]
    assert summary.num_ranks == 3
    assert summary.file_path == path
    for region in whole:
        for rank in region:
            mine, its = summary[region.name][rank], region[rank]
            assert mine.num_events == 0
            if not its.num_calls:
                assert (mine.num_calls, mine.total_duration_ns) == (0, 0)
                continue
            for name in ("num_calls", "errors", "tags", "source_file", "source_lineno",
                         "source_text", "exclusive_duration_ns", "inclusive_duration_ns",
                         "corrected_exclusive_ns", "corrected_total_ns", "total_duration_ns",
                         "min_duration_ns", "max_duration_ns", "first_duration_ns",
                         "last_duration_ns"):  # fmt: skip
                assert getattr(mine, name) == getattr(its, name), (region.name, rank, name)
            assert mine.std_duration_ns == pytest.approx(its.std_duration_ns)
            assert mine.first_start_time_ns == its.first_start_time_ns
            assert mine.last_end_time_ns == its.last_end_time_ns


def test_a_summary_of_aggregates_is_the_results(tmp_path):
    path = write_profile(aggregates(), tmp_path / "x.h5")
    read, ours = contents(read_h5_summary(path)), contents(aggregates())
    assert read["regions"] == ours["regions"]
    assert read["has_event_data"] == [False, False]


def test_a_summary_counts_calls_of_which_no_interval_was_kept(tmp_path):
    known = {"count": 9, "total": 500, "minimum": 1, "maximum": 300, "p50": 7.0}
    one = columns([5, 10], [2, 4], statistics=known)
    summary = read_h5_summary(write_profile(run({"a": {0: one}}), tmp_path / "x.h5"))
    assert summary["a"][0].statistics == known


def test_a_part_of_a_summary(tmp_path):
    path = write_profile(example(), tmp_path / "x.h5")
    assert read_h5_summary(path, regions="solve").region_names == ["solve"]
    assert read_h5_summary(path, regions=["inner", "absent"]).region_names == ["inner"]
    of_rank = read_h5_summary(path, ranks=2)
    assert of_rank.region_names == ["solve"]
    assert of_rank["solve"].ranks == list(of_rank.threads) == list(of_rank.line_profile) == [2]
    assert (of_rank.tasks, of_rank.num_ranks) == ({}, 3)
    assert read_h5_summary(path, regions="solve", ranks=[0, 2])["solve"].ranks == [0, 2]
    assert read_h5_summary(path, include_line_profile=False).line_profile == {}
    assert read_h5_summary(path, include_likwid=False).region_names == example().region_names


def without_summary(tmp_path):
    path = write_profile(example(), tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        del file["rank_region_index/summary_statistics"]
    return path


def of_schema_1(tmp_path):
    with h5py.File(tmp_path / "y.h5", "w") as file:
        for name in ("rank0/regions/solve", "rank2/regions/solve", "rank0/regions/b"):
            file[f"{name}/start_times"] = np.array([10, 20])
            file[f"{name}/end_times"] = np.array([15, 33])
    return tmp_path / "y.h5"


@pytest.mark.parametrize("make", [without_summary, of_schema_1])
def test_without_a_summary_the_calls_are_read(make, tmp_path):
    path = make(tmp_path)
    assert contents(read_h5_summary(path)) == contents(load(path))
    part = read_h5_summary(path, regions="solve", ranks=2)
    assert part["solve"].num_calls_per_rank() == {2: load(path)["solve"][2].num_calls}
    assert part.has_event_data
    with pytest.raises(UnsupportedProfileError, match=f"{path.name} has no summary, only the"):
        read_h5_summary(path, fallback=False)


# -- writing -------------------------------------------------------------------------------


def test_the_suffix_decides_on_the_format(tmp_path):
    for name, format in (
        ("a.h5", "hdf5"), ("b.hdf5", "hdf5"), ("c.HDF", "hdf5"),
        ("d.json", "json"), ("e.Json.GZ", "json"),
    ):  # fmt: skip
        path = write_profile(example(), str(tmp_path / name))
        assert path == tmp_path / name
        assert sniff_profile_format(path) == format
    assert (tmp_path / "e.Json.GZ").read_bytes().startswith(b"\x1f\x8b")


def test_other_suffixes_are_refused(tmp_path):
    for name in ("x.txt", "x", "x.gz", "x.json.bz2"):
        with pytest.raises(
            ValueError,
            match=r"path must end in one of \.h5, \.hdf5, \.hdf, \.json, \.json\.gz, \.parquet; got .*"
                  + name,
        ):
            write_profile(example(), tmp_path / name)
    with pytest.raises(ValueError, match=r"x\.html'; export\(\) writes files for other programs"):
        write_profile(example(), tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


def test_settings_are_those_of_the_format(tmp_path):
    path = write_profile(example(), tmp_path / "x.json", indent=1, include="inner")
    assert json.loads(path.read_text())["region_names"] == ["inner"]
    with pytest.raises(TypeError, match="compression"):
        write_profile(example(), tmp_path / "y.json", compression="gzip")
    with pytest.raises(TypeError, match="indent"):
        write_profile(example(), tmp_path / "y.h5", indent=1)
    assert [item.name for item in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize(("start", "target"), [(".h5", ".json"), (".json.gz", ".h5")])
def test_converting_loses_nothing(start, target, tmp_path):
    for results in (example(), aggregates(), run({"never": {}})):
        first = load(write_profile(results, tmp_path / f"x{start}"))
        second = load(write_profile(first, tmp_path / f"y{target}"))
        assert contents(second) == contents(results)


# -- settings of compression ---------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        (), (None, 5), ("none",), ("", None, 1), ("auto", 0), ("GZIP", 9), (" gzip ",),
        ("lzf", None, 2**28), (None, None, 1),
    ],
)  # fmt: skip
def test_settings_that_are_taken(settings):
    assert check_compression(*settings).name in (None, "auto", "gzip", "lzf")


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"compression": 5}, TypeError, "compression takes .*, got int: 5"),
        (
            {"compression": "bzip2"},
            ValueError,
            "compression takes 'none', 'auto', 'gzip', 'lzf' or 'zstd', got 'bzip2'",
        ),
        (
            {"compression": "gzip", "compression_level": 10},
            ValueError,
            "compression_level=10: 'gzip' takes 0 to 9",
        ),
        (
            {"compression": "auto", "compression_level": -1},
            ValueError,
            "compression_level=-1: 'auto' takes 0 to 9",
        ),
        (
            {"compression": "zstd", "compression_level": 0},
            ValueError,
            "compression_level=0: 'zstd' takes 1 to 22",
        ),
        (
            {"compression": "lzf", "compression_level": 1},
            ValueError,
            "compression_level=1: 'lzf' has no levels",
        ),
        (
            {"compression_level": True},
            TypeError,
            "compression_level takes an int, got bool: True",
        ),
        ({"chunk_size": 0}, ValueError, r"chunk_size must be in 1\.\.268435456; got 0"),
        ({"chunk_size": 2**28 + 1}, ValueError, r"chunk_size must be in 1\.\.268435456"),
        ({"chunk_size": 1.5}, TypeError, r"chunk_size takes an int, got float: 1\.5"),
    ],
)
def test_settings_that_are_refused(settings, error, text, tmp_path):
    with pytest.raises(error, match=text):
        check_compression(**settings)
    with pytest.raises(error, match=text):
        write_profile(example(), tmp_path / "x.h5", **settings)
    assert not list(tmp_path.iterdir())


def test_zstd_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "hdf5plugin" else find_spec(name)
    )
    message = "compression 'zstd' needs hdf5plugin, which is not installed: pip install hdf5plugin"
    with pytest.raises(ImportError, match=message):
        check_compression("zstd", 3)
    with pytest.raises(ImportError, match=message):
        write_profile(example(), tmp_path / "x.h5", compression="zstd")


# -- the package -----------------------------------------------------------------------------


def test_importing_is_light_and_everything_is_there():
    program = """
import sys
from scope_profiler import io
io.check_compression("gzip", 4, 100)
assert not {"numpy", "h5py", "gzip", "json"} & set(sys.modules), "heavy"
for name in io.__all__:
    getattr(io, name)
try:
    io.nonsense
except AttributeError as error:
    assert "nonsense" in str(error)
"""
    paths = [path for path in sys.path if path]
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{program}"],
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert set(scope_profiler.io._LAZY) < set(scope_profiler.io.__all__)
    assert NOW  # the support module was found
