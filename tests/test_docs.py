"""The programs in the documentation run, and say the truth."""

from pathlib import Path
import re
import subprocess
import sys

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


def run(program, folder):
    path = folder / "program.py"
    path.write_text(program)
    done = subprocess.run([sys.executable, path], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + program
    return done.stdout


def programs(name):
    return BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))


def test_the_tour_of_the_readme_is_one_program(tmp_path):
    pytest.importorskip("h5py")
    output = run("\n".join(programs("README.md")), tmp_path)
    assert "solve" in output and "├─ step" in output and "└─ assemble" in output
    assert "Line #      Hits         Time  Per Hit   % Time  Line Contents" in output
    assert (tmp_path / "run.h5").exists()


@pytest.mark.parametrize("program", programs("docs/differences.md"),
                         ids=lambda program: re.sub(r"\W+", "-", program[-60:]).strip("-"))
def test_each_difference_holds(program, tmp_path):
    run(program, tmp_path)


@pytest.mark.parametrize("page", ["README.md", *(
    str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md")))])
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"
