"""The command recover."""

import os
import signal
import subprocess
import sys

from click.testing import CliRunner
import pytest

import scope_profiler as sp
from conftest import NEEDS_H5PY
from scope_profiler.cli.group import group

pytestmark = NEEDS_H5PY  # as what is recovered is written so

PROGRAM = """
import os, signal
import scope_profiler as sp
sp.setup(file_path="out.h5", journal=True)
with sp.region("outer"):
    for _ in range(1000):
        with sp.region("inner"):
            pass
    os.kill(os.getpid(), signal.SIGKILL)
"""


def call(*words, code=0):
    result = CliRunner().invoke(group, [*map(str, words)])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def journal(tmp_path):
    """The one that a killed program has left."""
    killed = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path)
    assert killed.returncode == -signal.SIGKILL
    [path] = tmp_path.iterdir()
    return path


def test_recover(journal, tmp_path):
    output = call("recover", journal, "-o", tmp_path / "run.json")
    assert "1000 call(s) of 1 region(s)" in output and "1 call(s) were open" in output
    results = sp.load(tmp_path / "run.json")
    assert results["inner"].num_calls == 1000
    assert [node.name for node in results.recorded[0].nodes] == ["outer", "inner"]
    assert results.metadata["recovered_from"] == str(journal)

    # By the file that was not written, again under another name, and all of a folder.
    call("recover", tmp_path / "out.h5")
    call("recover", "--all", "--remove", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out.recovered-2.h5", "out.recovered.h5", "run.json"
    ]
    assert sp.load(tmp_path / "out.recovered.h5")["inner"].num_calls == 1000


def test_what_cannot_be_recovered(journal, tmp_path):
    assert "there is no such file" in call("recover", tmp_path / "other.h5", code=2)
    assert "--all recovers" in call("recover", tmp_path, code=2)
    assert "takes a folder" in call("recover", "--all", journal, code=2)
    assert "--output is for one" in call("recover", "--all", tmp_path, "-o", "x.h5", code=2)
    os.truncate(journal, 100)
    assert str(journal) in call("recover", journal, code=2)
    assert [path.name for path in tmp_path.iterdir()] == [journal.name]
