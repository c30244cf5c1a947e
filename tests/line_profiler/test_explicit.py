"""line_profiler/explicit.py: the decorator that does nothing unless it is asked for."""

import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT
from scope_profiler.line_profiler import LineProfiler, LineStats
from scope_profiler.line_profiler.explicit import GlobalProfiler

PROGRAM = """
from scope_profiler.line_profiler import profile
{before}
@profile
def work(n):
    total = 0
    for i in range(n):
        total += i
    return total

{after}
if __name__ == "__main__":
    work(10)
"""


def run(*arguments, before="", after="", **variables):
    """Its output, having run the program."""
    with open("program.py", "w") as file:
        file.write(PROGRAM.format(before=before, after=after))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LINE_PROFILE")}
    done = subprocess.run(
        [sys.executable, "program.py", *arguments], capture_output=True, text=True,
        env={**environment, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **variables})
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def written():
    return sorted(re.sub(r"_\d{4}-\d\d-\d\dT\d{6}", "_TIME", name)
                  for name in os.listdir() if "program" not in name)


FILES = ["profile_output.lprof", "profile_output.txt", "profile_output_TIME.txt"]


@pytest.mark.parametrize("arguments, variables", [
    ([], {"LINE_PROFILE": "1"}), ([], {"LINE_PROFILE": "anything"}), (["--line-profile"], {}),
    (["x", "--line_profile"], {"LINE_PROFILE": "0"})])
def test_enabled_from_outside(arguments, variables):
    output = run(*arguments, **variables)
    assert written() == FILES
    assert "Timer unit: 1e-09 s" in output and "seconds - " in output and "- work" in output
    assert output.count("Wrote profile results to profile_output.txt\n") == 1
    assert output.endswith("-m scope_profiler.line_profiler -rtmz profile_output.lprof\n")
    [(key, rows)] = LineStats.from_files("profile_output.lprof").timings.items()
    assert key[1:] == (4, "work") and [hits for _, hits, _ in rows] == [1, 11, 10, 1]
    with open("profile_output.txt", encoding="utf-8") as file:
        text = file.read()
    assert "Function: work at line 4" in text and "        total += i\n" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("variables", [{}, *({"LINE_PROFILE": value} for value in ("", "0", "off", "No"))])
def test_otherwise_nothing_happens(variables):
    assert run(after="import sys\nassert profile(len) is len and profile.enabled is False\n"
                     "assert not [name for name in sys.modules if name.endswith('.profiler')]",
               **variables) == ""
    assert written() == []


def test_enabled_from_inside():
    output = run(before="""
@profile
def before(): pass
profile.enable(output_prefix="mine")
""", after="""
profile.disable()
@profile
def between(): pass
profile.enable()
@profile
def after(): pass
before(); between(); after()
""")
    assert written() == ["mine.lprof", "mine.txt", "mine_TIME.txt"]
    names = {key[2] for key in LineStats.from_files("mine.lprof").timings}
    assert names == {"work", "after"}


def test_what_it_writes_and_shows():
    output = run(before="""
profile.enable()
profile.write_config.update(lprof=False, timestamped_text=False)
profile.show_config["details"] = True
profile.show_config["rich"] = False
""")
    assert written() == ["profile_output.txt"]
    assert "        total += i\n" in output and "To view details" not in output


def test_settings_are_those_of_a_toml_file():
    with open("line_profiler.toml", "w") as file:
        file.write("[tool.line_profiler.setup]\nenviron_flags = ['PLEASE']\n"
                   "[tool.line_profiler.write]\noutput_prefix = 'set'\nstdout = false\ntext = false\n"
                   "timestamped_text = false\n")
    assert run(LINE_PROFILE="1") == ""
    output = run(PLEASE="1")
    assert written() == ["line_profiler.toml", "set.lprof"]
    assert output.startswith("Wrote profile results to set.lprof\n")


def test_a_config_of_its_own():
    with open("x.toml", "w") as file:
        file.write("[tool.line_profiler.write]\noutput_prefix = 'x'\n")
    ours, default = GlobalProfiler("x.toml"), GlobalProfiler(False)
    assert (ours.output_prefix, default.output_prefix) == ("x", "profile_output")
    assert ours.write_config == dict.fromkeys(("lprof", "text", "timestamped_text", "stdout"), True)
    assert ours.show_config == {"sort": True, "stripzeros": True, "rich": True, "details": False,
                                "summarize": True}
    assert ours.setup_config["environ_flags"] == ["LINE_PROFILE"]
    ours.write_config["text"] = False
    assert default.write_config["text"] is GlobalProfiler("x.toml").write_config["text"] is True


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_do_not_write(method):
    output = run(LINE_PROFILE="1", after=f"""
import multiprocessing

def main():
    context = multiprocessing.get_context({method!r})
    with context.Pool(2) as pool:
        assert pool.map(work, [3, 4]) == [3, 6]
    process = context.Process(target=work, args=(3,))
    process.start()
    process.join()
    assert process.exitcode == 0

if __name__ == "__main__":
    main()
""")
    assert written() == FILES
    assert output.count("Wrote profile results to profile_output.txt\n") == 1
    [rows] = LineStats.from_files("profile_output.lprof").timings.values()
    assert [hits for _, hits, _ in rows] == [1, 11, 10, 1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_that_ends_as_a_program_does_not_write():
    output = run(LINE_PROFILE="1", after="""
import os, sys
if os.fork() == 0:
    work(3)
    sys.exit()
os.wait()
""")
    assert output.count("Wrote profile results to profile_output.lprof\n") == 1


def test_a_program_started_by_a_program_writes_for_itself():
    run(LINE_PROFILE="1", after="""
if __name__ == "__main__":
    import os, subprocess, sys
    if not os.path.exists("inner"):
        os.mkdir("inner")
        subprocess.run([sys.executable, os.path.abspath(__file__)], cwd="inner", check=True)
""".replace("__file__", "'program.py'").replace('not os.path.exists("inner")',
                                                'os.path.basename(os.getcwd()) != "inner"'))
    assert written() == ["inner", *FILES] and len(os.listdir("inner")) == 3


def test_what_cannot_be_written_is_said(capsys):
    profile = GlobalProfiler(False)
    profile._profile = LineProfiler()
    profile.output_prefix = "no/such/folder"
    profile.write_config["stdout"] = False
    profile.show()
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 3
    for line in said.err.splitlines():
        assert re.match(r"scope-profiler: no/such/folder.* cannot be written: FileNotFoundError: ", line)


def test_kernprof_counts_with_its_own(capsys):
    profile, counting = GlobalProfiler(False), LineProfiler()
    profile._kernprof_overwrite(counting)

    @profile
    def work():
        return 1

    work()
    assert profile.enabled and [key[2].rpartition(".")[2] for key in counting.get_stats().timings] == ["work"]


def test_decorated_functions_stay_what_they_are():
    profile = GlobalProfiler(False)
    profile.disable()

    def work():
        return 1

    class Thing:
        pass

    assert profile(work) is work and profile(Thing) is Thing
