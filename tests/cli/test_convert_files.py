"""The commands convert and import-native."""

import struct

import pytest
from click.testing import CliRunner

import scope_profiler as sp
from scope_profiler.cli.group import group


def call(*words, code=0):
    result = CliRunner().invoke(group, [*map(str, words)])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def profile(tmp_path):
    region = sp.Region(start_times_ns=[1, 5], durations_ns=[2, 3], tags=["t"])
    return sp.write_profile(sp.ProfilingResults({"a": sp.MPIRegion("a", {0: region})}),
                            tmp_path / "run.h5")


def trace(path, rank):
    name = b"native"
    path.write_bytes(b"SCOPEPRF" + struct.pack("<iiq", 1, rank, 1) + struct.pack("<i", len(name)) + name
                     + struct.pack("<q2q", 1, 10, 30))
    return path


def test_convert(profile, tmp_path):
    assert f"Written: {tmp_path / 'x.json.gz'}" in call("convert", profile, tmp_path / "x.json.gz")
    assert sp.load(tmp_path / "x.json.gz")["a"].tags == ("t",)
    assert call("convert", "-q", tmp_path / "x.json.gz", tmp_path / "y.h5") == ""
    assert sp.load(tmp_path / "y.h5")["a"].num_calls == 2
    assert "must end in one of" in call("convert", profile, tmp_path / "x.txt", code=2)
    assert "x.h5" in call("convert", tmp_path / "x.h5", tmp_path / "y.h5", code=2)


def test_import_native(profile, tmp_path):
    folder = tmp_path / "traces"
    folder.mkdir()
    for rank in (0, 1):
        trace(folder / f"run_rank{rank:05}.spt", rank)
    output = call("import-native", folder, "-o", tmp_path / "native.h5", "--label", "night")
    assert "native" in output and "night" in output
    assert sp.load(tmp_path / "native.h5")["native"].ranks == [0, 1]
    call("import-native", "-q", folder, "--merge", profile, "-o", tmp_path / "both.json")
    both = sp.load(tmp_path / "both.json")
    assert (both["a"].ranks, both["native"].ranks) == ([0], [1, 2])
    (folder / "bad.spt").write_bytes(b"SCOPEPRF")
    assert "bad.spt" in call("import-native", folder, code=2)
