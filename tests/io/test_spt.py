"""spt_reader.py: traces of native code."""

import struct

import pytest

import scope_profiler as sp
from scope_profiler.io import TraceFormatError, convert_traces, find_traces, load_traces, read_profile

REGIONS = (("a", "f.c", 7, [(10, 20), (12, 15)]), ("b", "", -1, []))


def trace(path, rank=0, version=2, order="<", regions=REGIONS, magic=b"SCOPEPRF"):
    """Write one, as a library of 0.7.5 does."""
    data = magic + struct.pack(order + "iiq", version, rank, len(regions))
    for name, source, line, calls in regions:
        data += text(name, order)
        if version == 2:
            data += text(source, order) + struct.pack(order + "i", line)
        data += struct.pack(order + "q", len(calls))
        for column in zip(*calls):
            data += struct.pack(f"{order}{len(calls)}q", *column)
    path.write_bytes(data)
    return path


def text(value, order):
    data = value.encode()
    return struct.pack(order + "i", len(data)) + data


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [1, 2])
def test_both_versions_are_read_in_both_byte_orders(version, order, tmp_path):
    path = trace(tmp_path / "x_rank00003.spt", 3, version, order)
    assert sp.sniff_profile_format(path) == "spt"
    for read in (sp.load, read_profile):
        results = read(path)
        assert results.region_names == ["a", "b"] and results.file_path == path
        region = results["a"][3]
        assert region.start_times_ns.tolist() == [10, 12]
        assert region.durations_ns.tolist() == [10, 3]
        assert region.source_file == ("f.c" if version == 2 else None)
        assert region.source_lineno == (7 if version == 2 else None)
        assert (results["b"].num_calls, results["b"].source_file) == (0, None)


def test_calls_that_are_not_sorted_are_sorted(tmp_path):
    path = trace(tmp_path / "x.spt", regions=[("a", "", -1, [(12, 15), (10, 20)])])
    assert sp.load(path)["a"][0].start_times_ns.tolist() == [10, 12]


def test_traces_of_all_ranks_are_one_result(tmp_path):
    for rank in (1, 0, 2):
        trace(tmp_path / f"run_rank{rank:05}.spt", rank)
    (tmp_path / "other.txt").write_text("x")
    results = load_traces(tmp_path, label="native")
    assert (results["a"].ranks, results.num_ranks, results.label) == ([0, 1, 2], 3, "native")
    assert find_traces([tmp_path / "run_rank00001.spt"]) == [tmp_path / "run_rank00001.spt"]
    with pytest.raises(ValueError, match="both of rank 1"):
        load_traces([tmp_path, tmp_path / "run_rank00001.spt"])
    with pytest.raises(FileNotFoundError, match="none.spt"):
        find_traces(tmp_path / "none.spt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no traces \*.spt"):
        find_traces(tmp_path / "empty")
    written = convert_traces(tmp_path, tmp_path / "x.json", "native")
    assert sp.load(written)["a"].ranks == [0, 1, 2]


def test_they_are_merged_as_ranks_of_their_own(tmp_path):
    python = sp.ProfilingResults({"a": sp.MPIRegion("a", {
        0: sp.Region(start_times_ns=[1], durations_ns=[2])})})
    for rank in (0, 1):
        trace(tmp_path / f"run_rank{rank:05}.spt", rank)
    merged = sp.merge_results(python, load_traces(tmp_path), ranks=True)
    assert (merged["a"].ranks, merged["b"].ranks, merged.num_ranks) == ([0, 1, 2], [1, 2], 3)
    alone = sp.merge_results(python, sp.load(tmp_path / "run_rank00001.spt"), ranks=True)
    assert max(alone["a"].ranks) < alone.num_ranks


def test_they_become_files_of_every_format(tmp_path):
    results = sp.load(trace(tmp_path / "x.spt"))
    for suffix in (".h5", ".json", ".json.gz"):
        read = sp.load(sp.write_profile(results, tmp_path / f"x{suffix}"))
        assert read["a"][0].durations_ns.tolist() == [10, 3]
    with pytest.raises(ValueError, match="must end in one of .h5"):
        sp.write_profile(results, tmp_path / "y.spt")


def damaged(path, data):
    path.write_bytes(data)
    with pytest.raises(sp.CorruptProfileError) as caught:
        sp.load(path)
    assert isinstance(caught.value, TraceFormatError) and str(path) in str(caught.value)
    return caught.value.reason


def test_damage_is_told(tmp_path):
    path = trace(tmp_path / "x.spt")
    data = path.read_bytes()
    for length in range(8, len(data)):
        damaged(path, data[:length])
    assert "1 bytes follow after the last region" in damaged(path, data + b"\0")
    many = data[:16] + struct.pack("<q", 1 << 60) + data[24:]
    assert "more than it can hold" in damaged(path, many)
    assert "-1 regions" in damaged(path, data[:16] + struct.pack("<q", -1) + data[24:])
    assert "rank must be at least 0" in damaged(path, data[:12] + struct.pack("<i", -1) + data[16:])
    assert "version 0" in damaged(path, data[:8] + bytes(4) + data[12:])
    assert "1073741824 bytes are to be at" in damaged(
        path, data[:24] + struct.pack("<i", 1 << 30) + data[28:])
    trace(path, regions=[("a", "", -1, [(12, 10)])])
    assert "negative duration" in damaged(path, path.read_bytes())
    trace(path, regions=[REGIONS[0], REGIONS[0]])
    assert "rank 0 twice" in damaged(path, path.read_bytes())
    trace(path, version=3)
    with pytest.raises(sp.UnsupportedProfileError, match="version 3.*a later one wrote it"):
        sp.load(path)
    trace(path)
    with pytest.raises(sp.CorruptProfileError, match="max_bytes"):
        sp.load(path, max_bytes=50)
