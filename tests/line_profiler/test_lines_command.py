"""line_profiler/command.py and cli_utils.py: what is asked for on the command line."""

from argparse import ArgumentParser
import os
import re
import subprocess
import sys

import pytest

import line_text_reference as reference
import scope_profiler
from peer import MISSING, python_with
from scope_profiler.line_profiler import LineStats, main
from scope_profiler.line_profiler.cli_utils import (
    add_argument, boolean, get_cli_config, get_python_executable, positive_float, short_string_path,
)

SHORT, LONG, GONE = ("program.py", 1, "short"), ("program.py", 5, "long"), ("gone.py", 7, "gone")
STATS = LineStats({LONG: [(10, 3, 3 * 10**9), (12, 2, 10)], SHORT: [(2, 7, 1234567)], GONE: []}, 1e-9)


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.delenv("LINE_PROFILER_RC", raising=False)
    reference.write_files(tmp_path)
    STATS.to_file("x.lprof")
    (STATS + STATS).to_file("twice.lprof")


def printed(capsys, *arguments):
    main(arguments)
    return capsys.readouterr().out


def test_a_file_is_printed(capsys):
    text = printed(capsys, "x.lprof")
    assert text.startswith("Timer unit: 1e-06 s\n\nTotal time: 3 s\nFile: program.py\n")
    assert "Function: gone" not in text and "Could not find file gone.py" in text


def test_files_are_added_up(capsys):
    assert "Total time: 9 s" in printed(capsys, "x.lprof", "twice.lprof")


@pytest.mark.parametrize("arguments, wanted, unwanted", [
    (["-u", "1e-3"], ["Timer unit: 0.001 s"], []),
    (["--unit=1"], ["Timer unit: 1 s"], []),
    (["-z"], [], ["gone.py"]),
    (["--skip-zero=no"], ["gone.py"], []),
    (["-m"], ["  3.00 seconds - program.py:5 - long\n"], []),
    (["-zm"], ["  3.00 seconds - program.py:5 - long\n"], ["gone"]),
])
def test_options(capsys, arguments, wanted, unwanted):
    text = printed(capsys, *arguments, "x.lprof")
    for part in wanted:
        assert part in text
    for part in unwanted:
        assert part not in text


def test_sorted(capsys):
    text = printed(capsys, "-t", "x.lprof")
    assert text.index("gone.py") < text.index("Function: short") < text.index("Function: long")


def test_defaults_are_those_of_a_toml_file(capsys):
    with open("line_profiler.toml", "w") as file:
        file.write("[tool.line_profiler.cli]\nunit = 1\nskip-zero = true\n"
                   "[tool.line_profiler.show.column_widths]\nhits = 20\n")
    for arguments in ([], ["-c", "line_profiler.toml"], ["--config=line_profiler.toml"]):
        text = printed(capsys, *arguments, "x.lprof")
        assert "Timer unit: 1 s" in text and "gone" not in text
        assert "Line #                 Hits" in text
    assert "gone" in printed(capsys, "--skip-zero=off", "x.lprof")
    assert "gone" in printed(capsys, "x.lprof", "--no-skip-zero")
    text = printed(capsys, "--no-config", "x.lprof")
    assert "Timer unit: 1e-06 s" in text and "Line #      Hits" in text and "gone" in text


@pytest.mark.parametrize("arguments, message", [
    (["program.py"], "program.py is a program.*scope-profiler kernprof -lv program.py"),
    (["no.lprof"], "no.lprof"),
    (["empty.py.lprof"], "cannot read empty.py.lprof: it "),
    (["-u", "-3", "x.lprof"], "invalid positive number value: '-3'"),
    (["--rich=perhaps", "x.lprof"], "invalid switch value: 'perhaps'"),
    (["-c", "no.toml", "x.lprof"], "no.toml"),
    ([], "FILE"),
])
def test_mistakes_are_explained(capsys, arguments, message):
    open("empty.py.lprof", "w").close()
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert error.splitlines()[-1].startswith("python -m scope_profiler.line_profiler: error: ")
    assert re.search(message, error)


def test_as_a_command():
    def run(*arguments):
        return subprocess.run([sys.executable, "-m", "scope_profiler.line_profiler", *arguments],
                              capture_output=True, text=True)

    assert run("--version").stdout.strip() == run("-V").stdout.strip() == scope_profiler.__version__
    assert "usage: python -m scope_profiler.line_profiler" in run("-h").stdout
    done = run("-z", "x.lprof")
    assert "Function: long at line 5" in done.stdout and done.stderr == ""


def test_a_reader_that_has_seen_enough():
    LineStats({("gone.py", 1, f"f{i}"): [(i, 1, 1)] for i in range(1, 3000)}, 1e-9).to_file("long.lprof")
    with subprocess.Popen([sys.executable, "-m", "scope_profiler.line_profiler", "long.lprof"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_line_profiler_prints_our_files_the_same():
    python = python_with("line_profiler")
    if python is None:
        pytest.skip(MISSING)
    texts = [subprocess.run([command, "-m", module, "-tmz", "x.lprof", "twice.lprof"],
                            capture_output=True, text=True, check=True).stdout
             for command, module in ((python, "line_profiler"),
                                     (sys.executable, "scope_profiler.line_profiler"))]
    assert texts[0] == texts[1] and "Function: long" in texts[0]
    program = ("import line_profiler; stats = line_profiler.load_stats('x.lprof'); "
               "assert type(stats) is line_profiler.LineStats; print(stats.timings, stats.unit); "
               "stats.to_file('theirs.lprof')")
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{STATS.timings} {STATS.unit}"
    assert LineStats.from_files("theirs.lprof") == STATS


# ---- Switches


@pytest.fixture
def parser():
    parser = ArgumentParser()
    add_argument(parser, "-f", "-F", "--foo", action="store_true")
    add_argument(parser, "-b", "--bar", action="store_true", help="Set it (bar)")
    add_argument(parser, "--no-spam", action="store_false", dest="spam", help="Not")
    add_argument(parser, "--ham", action="store_true", help="Ham")
    add_argument(parser, "-e", action="store_true", dest="eggs")
    add_argument(parser, "-n", "--number", type=int, default=3)
    return parser


@pytest.mark.parametrize("arguments, given", [
    ("", {}),
    ("-fbe", {"foo": True, "bar": True, "eggs": True}),
    ("--foo --bar=0 --ham=", {"foo": True, "bar": False, "ham": False}),
    ("--no-foo --no-bar=no --no-spam", {"foo": False, "bar": True, "spam": False}),
    ("--no-spam=N --ham=ON -n 4", {"spam": True, "ham": True, "number": 4}),
])
def test_switches(parser, arguments, given):
    nothing = dict.fromkeys(("foo", "bar", "spam", "ham", "eggs"))
    assert vars(parser.parse_args(arguments.split())) == {**nothing, "number": 3, **given}


def test_the_help_of_switches(parser):
    text = " ".join(parser.format_help().split())
    assert "--foo [yes|no] (Short forms: -f, -F)" in text
    assert "--bar [yes|no] Set it (bar; short form: -b)" in text
    assert "--no-foo" not in text and "--no-spam [yes|no] Not" in text
    shown = ArgumentParser()
    add_argument(shown, "--foo", action="store_true", hide_complementary_options=False)
    assert "--no-foo" in shown.format_help()


def test_values():
    assert [boolean(text) for text in ("1", "T", "Y", "on", "True", "yes")] == [True] * 6
    assert [boolean(text) for text in ("", "0", "F", "N", "off", "no")] == [False] * 6
    assert boolean("x", fallback=True) and not boolean("on", invert=True)
    with pytest.raises(ValueError, match="got 'x'"):
        boolean("x")
    for text in ("0", "-1", "nan", "inf", "x"):
        with pytest.raises(ValueError):
            positive_float(text)
    assert positive_float("1e-6") == 1e-6


def test_defaults_have_names_of_python():
    assert get_cli_config("kernprof").conf_dict["line_by_line"] is False
    assert get_cli_config("cli").subtable == ["tool", "line_profiler", "cli"]


def test_paths_are_short(tmp_path):
    assert short_string_path(tmp_path / "x.toml") == "x.toml"
    assert short_string_path("/x") == "/x"
    assert os.path.basename(get_python_executable()).startswith("python")
