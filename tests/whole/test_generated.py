"""tools/generate.py: what is made of the code is up to date."""

from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).parent.parent


def test_what_is_made_of_the_code_is_up_to_date():
    pytest.importorskip("click")
    done = subprocess.run([sys.executable, ROOT / "tools" / "generate.py", "--check"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
