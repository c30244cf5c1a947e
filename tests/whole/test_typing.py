"""Types: what mypy makes of programs that use the package, and whether the stubs are true."""

import os
from pathlib import Path
import re
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT
import scope_profiler

pytest.importorskip("mypy", reason="mypy is not installed: nothing is checked of the types")

HERE = Path(__file__).parent
PACKAGE = Path(scope_profiler.__file__).parent
STUBBED = [".".join(stub.relative_to(PACKAGE.parent).with_suffix("").parts)
           .removesuffix(".__init__") for stub in PACKAGE.rglob("*.pyi")]

# What stubtest finds and why it may, by the words that it has for it.
ALLOWED = {
    r"stub is a classmethod but runtime is not":
        "the methods of ProfileManager act on the instance when called on one",
    r"ProfileManager\.setup .* parameter \"output\" has a default .*\._Unset":
        "no type says that an argument was not given",
    r"^scope_profiler\.\w+ failed to find stubs":
        "a path that 0.7.5 had: mypy, which knows no __path__, does not find it either",
    r"ProfilingOptions\.(profiling_activated|time_trace|flush_to_disk) is not present in stub":
        "they are arguments; that a class has its defaults is how dataclasses are made",
    r"scope_profiler\.run variable differs from runtime type":
        "stubtest cannot compare arguments that are passed on one by one",
    r"scope_profiler\.__all__ is not present in stub":
        "in the stub, what is imported as itself or assigned is public",
    r"scope_profiler\._core\..* is not present in stub":
        "the rest of the core is between it and the modules beside it",
    r"scope_profiler\._core\..* is a disjoint base at runtime":
        "typing has no word for it before Python 3.15",
    r"scope_profiler\._core\.RegionFactory\.__call__ is inconsistent":
        "it is in C, and has no parameters to be seen",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder that mypy finds the package in, and nothing else."""
    folder = tmp_path_factory.mktemp("types")
    shutil.copytree(PACKAGE, folder / "path" / "scope_profiler",
                    ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    # Of other packages it reads nothing, which is half of the work.
    (folder / "errors_elsewhere.ini").write_text("[mypy]\nignore_errors = True\nfollow_imports = skip\n")
    return folder


def mypy(folder, module, *arguments):
    """What `python -m module` prints, as lines without notes, and whether it found nothing."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)], cwd=folder, capture_output=True,
        text=True,
        env={**os.environ, "MYPYPATH": str(folder / "path"), "PYTHONPATH": str(PACKAGE.parent)},
    )
    assert not done.stderr, done.stderr
    lines = [line for line in done.stdout.splitlines() if ": note: " not in line]
    return lines, done.returncode == 0


def check(folder, *files):
    return mypy(folder, "mypy", "--strict", "--follow-imports=silent", "--no-error-summary",
                *files)


def test_a_right_program_has_the_right_types(folder):
    assert check(folder, HERE / "typing_right.py") == ([], True)


def test_the_right_program_runs(tmp_path):
    done = subprocess.run([sys.executable, HERE / "typing_right.py"], cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_is_wrong_is_reported(folder):
    """Exactly on the lines with a remark `# code: text`."""
    program = HERE / "typing_wrong.py"
    reported, _ = check(folder, program)
    found = {}
    for line in reported:
        number, text, code = re.search(r":(\d+): error: (.*)  \[(.*)\]$", line).groups()
        found.setdefault(int(number), []).append(f"{code}: {text}")
    expected = {}
    for number, line in enumerate(program.read_text().splitlines(), 1):
        remark = re.search(r"  # ([a-z-]+): (.*)$", line)
        if remark:
            expected[number] = remark.groups()
    assert found.keys() == expected.keys()
    for number, (code, text) in expected.items():
        assert any(one.startswith(f"{code}: ") and text in one for one in found[number]), (
            number, found[number])


def test_the_stubs_are_sound(folder):
    assert check(folder, *(folder / "path" / "scope_profiler").rglob("*.pyi")) == ([], True)


def test_the_stubs_say_what_is_there(folder):
    assert len(STUBBED) >= 7
    lines, _ = mypy(folder, "mypy.stubtest", "--concise", "--mypy-config-file",
                    "errors_elsewhere.ini", "scope_profiler")
    assert not [line for line in lines if is_of_a_stub(line)
                and not any(re.search(allowed, line) for allowed in ALLOWED)]
    # It has looked: this is what it cannot help but find.
    assert any(line.startswith("scope_profiler.manager.ProfileManager.pause ") for line in lines)


def is_of_a_stub(line):
    place = line.partition(" ")[0]
    return place.rpartition(".")[0] in STUBBED or any(
        place.startswith(f"{module}.") for module in STUBBED if module != "scope_profiler")


def test_the_bodies_have_the_right_types():
    done = subprocess.run([sys.executable, "-m", "mypy", "--no-error-summary"], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_is_in_setup_options():
    from scope_profiler.config.table import NAMES
    from scope_profiler.config.table import OPPOSITES

    assert set(scope_profiler.SetupOptions.__annotations__) == {*NAMES} - {*OPPOSITES}
    assert not scope_profiler.SetupOptions.__required_keys__
