"""The examples run and print what they promise."""

import subprocess
import sys

import pytest

from conftest import ROOT

EXAMPLES = ROOT / "examples"


def run(name, folder, program=None):
    command = [sys.executable, EXAMPLES / name] if program is None else [
        sys.executable, "-c", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True,
                          encoding="utf-8", timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_line_profiling(tmp_path):
    output = run("line_profiling.py", tmp_path)
    assert "Function: compute at line 12" in output and "Function: allocate at line 21" in output
    assert " 50001 " in output and "100001 " in output
    assert "Region: compute" in output and "Total Calls: 1" in output
    assert list(tmp_path.iterdir()) == []


def test_stdlib_compile_on_a_part_of_it(tmp_path):
    """The demo with fewer packages; the whole of it is `make demo`."""
    pytest.importorskip("h5py")
    program = (
        f"import sys; sys.path.insert(0, {str(EXAMPLES)!r})\n"
        "import stdlib_compile as demo\n"
        "demo.PACKAGES = ['json', 'html']\n"
        "demo.STDLIB = type('Some', (), {'__truediv__': lambda s, p: real / p,\n"
        "                                'glob': lambda s, p: sorted(real.glob('a*.py'))})()\n"
    ).replace("demo.PACKAGES", "real = demo.STDLIB\ndemo.PACKAGES") + "demo.main()\n"
    output = run("stdlib_compile.py", tmp_path, program)
    for text in ("package: json", "├─ ", "Function: indentation at line", "num_calls",
                 "Read back from profiling_data.h5", "Written: profiling_data.h5"):
        assert text in output
    assert (tmp_path / "profiling_data.h5").exists()
