"""The programs in the documentation run, and say the truth."""

from importlib.util import find_spec
import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
PRINTED = re.compile(r"^ *print\(.*# → (.*)$", re.M)


def run(program, folder, *arguments):
    path = folder / "program.py"
    path.write_text(program, encoding="utf-8")
    done = subprocess.run([sys.executable, *arguments, path], cwd=folder, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr + program
    assert done.stderr == ""
    return done.stdout


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def programs(page):
    return BLOCK.findall(text_of(page))


def named(program):
    return re.sub(r"\W+", "-", program[-60:]).strip("-")


def check_what_it_prints(program, output):
    """Lines that are promised behind "# →" are printed, in that order."""
    printed = iter(output.splitlines())
    for promised in PRINTED.findall(program):
        assert promised in printed, f"{promised} is not there, or not in its place:\n{output}"


# ---- The README


@pytest.mark.parametrize("program", programs("README.md"), ids=named)
def test_each_program_of_the_readme_runs_alone(program, tmp_path):
    pytest.importorskip("h5py")
    check_what_it_prints(program, run(program, tmp_path))


def test_the_tour_of_the_readme_runs_in_order(tmp_path):
    pytest.importorskip("h5py")
    tour = "\n".join(programs("README.md"))
    output = run(tour, tmp_path)
    check_what_it_prints(tour, output)
    assert "solve" in output and "─ step" in output and "─ assemble" in output
    assert "Line #      Hits         Time  Per Hit   % Time  Line Contents" in output
    assert (tmp_path / "run.h5").exists()


def commands_of_the_readme(running):
    commands = re.findall(r"^scope-profiler (.*?) +#", text_of("README.md"), re.M)
    return [command.split() for command in commands if command.startswith("run ") is running]


def run_command(words, folder):
    return subprocess.run([sys.executable, "-m", "scope_profiler", *words], cwd=folder,
                          capture_output=True, text=True)


def test_the_commands_of_the_readme_run(tmp_path):
    pytest.importorskip("h5py")
    (tmp_path / "script.py").write_text("def work():\n    return 1\n\nwork()\n")
    commands = commands_of_the_readme(running=True)
    assert len(commands) == 4
    for words in commands:
        done = run_command(words, tmp_path)
        assert done.returncode == 0, done.stderr
        assert ("__main__.work" in done.stdout) is ("--recursive" in words)


#: Packages that commands of the README work with.
NEEDED = {"convert": ["pyarrow"], "report": ["jinja2", "plotly"], "plot": ["matplotlib"]}


def test_the_commands_of_the_readme_read(tmp_path):
    pytest.importorskip("h5py")
    for name in ("loop", "run", "before", "after"):
        run(f"import scope_profiler as sp\n@sp.profile('turn')\ndef turn():\n    return 1\n"
            f"with sp.session(file_path='{name}.h5', use_line_profiler={name == 'run'}, verbose=False):\n"
            "    turn()\n", tmp_path)
    commands = commands_of_the_readme(running=False)
    assert [words[0] for words in commands] == [
        "inspect", "line-profile", "diff", "export", "convert", "report", "plot"]
    for words in commands:
        done = run_command(words, tmp_path)
        if any(find_spec(package) is None for package in NEEDED.get(words[0], ())):
            assert done.returncode == 2 and "pip install" in done.stderr
        else:
            assert done.returncode == 0, done.stderr
            assert words[0] in ("export", "convert", "report", "plot") or "turn" in done.stdout


def row_of(page, heading):
    """The cells of the first row of a table in Markdown that has this heading."""
    return next([cell.strip(" *") for cell in line.split("|")[2:-1]]
                for line in text_of(page).splitlines()
                if line.startswith("|") and line.split("|")[1].strip(" *") == heading)


def measured(row):
    """What benchmarks/README.md has of a row, on all versions: (ours, the peer's), in ns."""
    times = re.findall(rf"^{re.escape(row)} +([\d.]+) ns +([\d.]+) ns", text_of("benchmarks/README.md"),
                       re.M)
    assert len(times) >= 2
    return [[float(time) for time in times] for times in zip(*times)]


@pytest.mark.parametrize("heading, rows, peer_at", [
    ("a `with` region", ['with profile_region("x"), on'], 1),
    ("a decorated or traced call", ["decorated call, on"], 1),
    ("a line", ["line event"], 2),
])
def test_times_of_the_readme_are_those_of_the_benchmarks(heading, rows, peer_at):
    cells = row_of("README.md", heading)
    for row in rows:
        for cell, times in zip((cells[0], cells[peer_at]), measured(row)):
            least, most = (float(number) for number in re.fullmatch(r"(\d+)–(\d+) ns", cell).groups())
            # Within what two runs of the benchmarks differ by.
            assert least == pytest.approx(min(times), rel=0.15)
            assert most == pytest.approx(max(times), rel=0.15)


def test_right_cases_of_the_readme_are_those_of_the_page():
    ours, peer, lines, _, cprofile, _, viztracer = row_of("docs/correctness.md",
                                                          "right, of those it can")
    assert row_of("README.md", "right, of the cases it can do") == [
        ours, peer, lines, cprofile, viztracer, "not asked",
    ]


# ---- The other pages


@pytest.mark.parametrize("program", programs("docs/differences.md"), ids=named)
def test_each_difference_holds(program, tmp_path):
    if ".h5" in program:
        pytest.importorskip("h5py")
    path = tmp_path / "program.py"
    path.write_text(program)
    done = subprocess.run([sys.executable, path], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PYTHON_THREAD_INHERIT_CONTEXT": "0"})
    assert done.returncode == 0, done.stderr + program


@pytest.mark.parametrize("program", [
    *programs("docs/line-mode.md"), *programs("docs/exports.md")], ids=named)
def test_each_program_of_line_mode_and_exports_runs(program, tmp_path):
    if ".h5" in program:
        pytest.importorskip("h5py")
    check_what_it_prints(program, run(program, tmp_path))


@pytest.mark.parametrize("program", programs("docs/bounded.md"), ids=named)
def test_each_program_of_long_runs_runs(program, tmp_path):
    check_what_it_prints(program, run(program, tmp_path))


@pytest.mark.parametrize("folder, pattern, suffixes", [
    ("src", "**/*", {".c", ".h"}), ("scope_profiler", "*", {".py", ""})])
def test_every_file_has_its_place_in_the_tables(folder, pattern, suffixes):
    tables = re.findall(r"^\| `.*", text_of("docs/architecture.md"), re.M)
    names = {name.rstrip("/").split(".")[0] for row in tables
             for name in re.findall(r"`([^`]*)`", row.split("|")[1])}
    files = {path.stem for path in (ROOT / folder).glob(pattern)
             if path.suffix in suffixes and path.name != "__pycache__"}
    assert files - names == set()


@pytest.mark.parametrize("folder", ["src", "scope_profiler"])
def test_every_folder_is_in_the_picture(folder):
    picture = text_of("docs/architecture.svg")
    folders = {path.parent.relative_to(ROOT / folder).as_posix() + "/"
               for suffix in ("c", "py") for path in (ROOT / folder).glob(f"**/*.{suffix}")}
    assert {name for name in folders - {"./"}
            if name not in picture and name.partition("/")[0] + "/" not in picture} == set()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *(
    str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md")))])
def test_links_lead_somewhere(page):
    for target, _, heading in re.findall(r"\]\(([^)#:]*)(#([^)]+))?\)", text_of(page)):
        there = (ROOT / page).parent / target if target else ROOT / page
        assert there.exists(), f"{page}: {target}"
        if heading:
            headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.M)
            slugs = {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}
            assert heading in slugs, f"{page}: {target}#{heading}"


def test_what_contributing_names_is_there():
    text = text_of("CONTRIBUTING.md")
    for name in re.findall(r"`([\w./]+/[\w.]*)`", text):
        assert any((root / name).exists() for root in (ROOT, ROOT / "scope_profiler")), name
    targets = re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M)
    assert {*re.findall(r"`?make ([a-z]+)[` \n]", text)} <= {*targets}
