"""Whatever can be open, through whatever can happen to the run: see live_objects.py."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

from live_objects import CHANGES

PROGRAM = Path(__file__).with_name("live_objects.py")


@pytest.mark.parametrize("change", CHANGES)
def test_every_object_lives_through(change):
    if change == "fork" and not hasattr(os, "fork"):
        pytest.skip("there is no fork here")
    done = subprocess.run([sys.executable, PROGRAM, change], capture_output=True, text=True,
                          timeout=300)
    assert (done.returncode, done.stderr) == (0, ""), f"at {done.stdout.split()[-1:]}: {done.stderr}"
