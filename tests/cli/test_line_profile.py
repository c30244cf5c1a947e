"""scope-profiler line-profile: lines from a file, with the source that it has."""

import os
import subprocess
import sys

import pytest
from profiles import check_golden, printed

import scope_profiler as sp
from scope_profiler import ProfileManager
from scope_profiler.cli import main
from scope_profiler.results.line_entries import entry_of
from scope_profiler._model.counted_code import CountedCode
from scope_profiler._model.counted_lines import CountedLine, CountedLines
from scope_profiler.results import ProfilingResults

SOURCE = """\
def solve(n):
    # a comment
    total = 0
    for i in range(n):
        total += i
    return total
"""


def a_file(path="lines.json", **extras):
    """A file of two functions; of one of them the source is known, which is in no file here."""
    solve = CountedCode("gone.py", 10, "solve")
    other = CountedCode("gone.py", 30, "other")
    rows = [CountedLine(12, 1, 100, **extras), CountedLine(13, 4, 1900, **extras),
            CountedLine(14, 3, 8000, **extras), CountedLine(15, 0, 0)]
    tables = [CountedLines("r", solve, rows, [], SOURCE),
              CountedLines("s", other, [CountedLine(31, 50, 40)], [])]
    results = ProfilingResults({}, line_profile={0: [*map(entry_of, tables)], 2: [entry_of(tables[1])]})
    sp.write_profile(results, path)
    return path


def functions(text):
    return [line.split()[1] for line in text.splitlines() if line.startswith("Function: ")]


@pytest.mark.parametrize("name, words", [
    ("lines", ()), ("lines-skip-zero", ("--skip-zero", "--function", "solve")), ("lines-top", ("--top", "3")),
])
def test_what_it_prints(monkeypatch, name, words):
    check_golden(monkeypatch, name, "line-profile", a_file(), *words)


def test_memory_has_its_columns(monkeypatch):
    path = a_file(allocated_bytes=2048, freed_bytes=1024, peak_bytes=4096, allocations=3, frees=1)
    text, _ = printed(monkeypatch, "line-profile", path, "--function", "solve")
    assert "Allocated" in text and "2.000 KiB" in text and "Peak" in text


@pytest.mark.parametrize("words, names", [
    ((), ["solve", "other"]), (("--sort", "hits"), ["other", "solve"]),
    (("--sort", "name"), ["other", "solve"]), (("--sort", "file"), ["solve", "other"]),
    (("--function", "^oth"), ["other"]), (("--region", "s"), ["other"]),
    (("--include", "r", "x"), ["solve"]), (("--exclude", "r"), ["other"]), (("--ranks", "2"), ["other"]),
])
def test_functions_are_chosen_and_sorted(monkeypatch, words, names):
    assert functions(printed(monkeypatch, "line-profile", a_file(), *words)[0]) == names


@pytest.mark.parametrize("suffix", ["h5", "json"])
def test_the_source_is_as_it_was_when_the_lines_were_counted(monkeypatch, clock, suffix):
    if suffix == "h5":
        pytest.importorskip("h5py")
    with open("program.py", "w") as file:
        file.write("@sp.profile\ndef work():\n    text = 'Ünicode'\n    return 1\n")
    path = f"run.{suffix}"
    manager = ProfileManager()
    names = {"__name__": "program", "sp": manager}
    with open("program.py") as file:
        exec(compile(file.read(), os.path.abspath("program.py"), "exec"), names)
    manager.setup(output=path, use_line_profiler=True)
    names["work"]()
    manager.finalize(verbose=False)
    manager.reset()
    with open("program.py", "w") as file:
        file.write("# another\n" * 20)
    text, _ = printed(monkeypatch, "line-profile", path)
    assert "text = 'Ünicode'" in text and "# another" not in text


@pytest.mark.parametrize("words, message", [
    (["lines.json", "--function", "nothing"], "lines.json: no function is chosen; there are other, solve"),
    (["lines.json", "--ranks", "5"], "lines.json: no lines on these ranks; there are 0, 2"),
    (["lines.json", "--function", "("], "--function takes a regular expression, got '('"),
    (["empty.json"], "empty.json: no lines are in it: record with `scope-profiler run --line-profile`"),
    (["missing.json"], "missing.json: there is no such file"),
])
def test_what_cannot_be_is_one_line(capsys, words, message):
    a_file()
    sp.write_profile(ProfilingResults({}), "empty.json")
    assert main(["line-profile", *words]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and len(captured.err.splitlines()) == 1 and captured.out == ""


def test_as_a_process():
    done = subprocess.run([sys.executable, "-m", "scope_profiler", "line-profile", a_file()],
                          capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0 and "total += i" in done.stdout and done.stderr == ""
