"""Some mutations of files of every format, as tools/fuzz_readers.py makes millions of them."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.parametrize("form", ["hdf5", "json", "spt", "journal"])
def test_mutated_files_are_refused_or_read(form, tmp_path):
    pytest.importorskip("h5py")
    done = subprocess.run(
        [sys.executable, ROOT / "tools/fuzz_readers.py", "--seconds", "30", "--batches", "1",
         "--formats", form, "--keep", tmp_path / "kept"],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["all"] > 0
