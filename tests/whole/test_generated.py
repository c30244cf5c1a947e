"""tools/generate.py: what is made of the code is up to date."""

import subprocess
import sys

import pytest

from conftest import ROOT


def test_what_is_made_of_the_code_is_up_to_date():
    pytest.importorskip("click")
    done = subprocess.run([sys.executable, ROOT / "tools" / "generate.py", "--check"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
