"""Some mutations of files of every format, as tools/fuzz_readers.py makes millions of them, and those that it
has found once (fuzzed/)."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT, hdf5_ends_at_damage

import scope_profiler as sp

FOUND = sorted((ROOT / "tests/io/fuzzed").iterdir())


def test_mutated_files_are_refused_or_read(tmp_path):
    pytest.importorskip("h5py")
    formats = ["json", "spt", "journal"] + ([] if hdf5_ends_at_damage() else ["hdf5"])
    done = subprocess.run(
        [sys.executable, ROOT / "tools/fuzz_readers.py", "--seconds", "60", "--batches", "1",
         "--batch", "300", "--keep", tmp_path / "kept", "--formats", *formats],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)["mutations"]
    assert counts.keys() == {*formats} and min(counts.values()) > 0


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_what_was_found_once(path):
    if ".h5" in path.name:
        pytest.importorskip("h5py")
    try:
        results = sp.load(path)
    except (sp.CorruptProfileError, sp.JSONProfileError, sp.UnsupportedProfileError):
        return
    results.summary()
