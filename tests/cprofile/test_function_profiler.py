"""cprofile/: the API of cProfile, with its numbers."""

import cProfile
import gc
import io
import os
import pstats
import subprocess
import sys

import pytest

from scope_profiler import cprofile


def leaf(count):
    return sum(range(count))


def twice(count):
    return leaf(count) + leaf(count)


def main():
    return [twice(number) for number in (1, 2, 3)][0]


def counts(profile):
    profile.create_stats()
    return {(os.path.basename(file), line, name): calls
            for (file, line, name), (_, calls, *_) in profile.stats.items() if "comp>" not in name}


def in_c(found):
    return {name: calls for (file, _, name), calls in found.items() if file == "~"}


def recorded(kind, *arguments):
    profile = kind(*arguments)
    gc.disable()  # pytest's plugins have functions that a collection calls
    try:
        assert profile.runcall(main) == 0
    finally:
        gc.enable()
    return profile


def test_functions_and_calls_are_those_of_cprofile():
    ours, theirs = (counts(recorded(kind)) for kind in (cprofile.Profile, cProfile.Profile))
    theirs.pop(("~", 0, "<method 'disable' of '_lsprof.Profiler' objects>"), None)
    assert {key for key in ours if key[0] != "~"} == {key for key in theirs if key[0] != "~"}
    assert all(ours[key] == theirs[key] for key in theirs if key[0] != "~")
    assert in_c(ours) == {"{built-in method builtins.sum}": 6}


def test_without_builtins():
    assert in_c(counts(recorded(cprofile.Profile, None, 0.0, True, False))) == {}


def test_pstats_takes_it():
    profile = recorded(cprofile.Profile)
    out = io.StringIO()
    stats = pstats.Stats(profile, stream=out)
    stats.sort_stats("cumulative").print_stats()
    stats.print_callers("leaf")
    assert "(twice)" in out.getvalue()
    [key] = [key for key in stats.stats if key[2] == "leaf"]
    calls, _, own, total, callers = stats.stats[key]
    assert calls == 6 and own <= total
    assert [(caller[2], row[0]) for caller, row in callers.items()] == [("twice", 6)]


def test_entries():
    profile = recorded(cprofile.Profile)
    entries = {entry.code if isinstance(entry.code, str) else entry.code.co_name: entry
               for entry in profile.getstats()}
    assert entries["leaf"].callcount == 6 and entries["leaf"].reccallcount == 0
    assert entries["leaf"].code.co_firstlineno == leaf.__code__.co_firstlineno
    assert entries["leaf"].code.co_filename == __file__
    [called] = entries["twice"].calls
    assert called.code == entries["leaf"].code and called.callcount == 6
    assert called.totaltime == entries["leaf"].totaltime


def test_on_and_off():
    profile = cprofile.Profile()
    twice(1)
    profile.enable()
    profile.enable()
    twice(1)
    profile.disable()
    twice(1)
    profile.disable()
    with profile:
        twice(1)
    assert counts(profile)["test_function_profiler.py", leaf.__code__.co_firstlineno, "leaf"] == 4
    profile.clear()
    assert counts(profile) == {}
    with profile:
        profile.clear()
        leaf(1)
    assert [name for _, _, name in counts(profile)][0] == "leaf"


def test_statements():
    namespace = {"twice": twice}
    profile = cprofile.Profile().runctx("x = twice(2)", namespace, namespace)
    assert namespace["x"] == 2
    assert counts(profile)["<string>", 1, "<module>"] == 1
    assert counts(cprofile.Profile().run("1 + 1")) == {("<string>", 1, "<module>"): 1}


def test_functions_of_the_module(tmp_path, capsys):
    cprofile.run("import sys; sys.exit(3)", sort="cumulative")
    assert "Ordered by: cumulative time" in capsys.readouterr().out
    cprofile.run("1 + 1", sort=("tottime", "name"))
    assert "internal time, function name" in capsys.readouterr().out
    path = tmp_path / "x.prof"
    with pytest.raises(ZeroDivisionError):
        cprofile.runctx("twice(1); 1 / 0", {"twice": twice}, {}, str(path))
    assert [key[2] for key in pstats.Stats(str(path)).stats if key[2] == "twice"] == ["twice"]
    assert capsys.readouterr().out == ""


def test_nothing_to_print(capsys):
    cprofile.Profile().print_stats()
    assert "0 function calls" in capsys.readouterr().out


def test_wrong_arguments():
    with pytest.raises(ValueError, match="timer takes None"):
        cprofile.Profile(lambda: 1)
    with pytest.raises(TypeError, match="builtins takes True or False"):
        cprofile.Profile(builtins="yes")


def test_two_profiles_at_a_time():
    one, other = cprofile.Profile(builtins=False), cprofile.Profile(builtins=False)
    with one:
        leaf(1)
        with other:
            leaf(1)
    key = "test_function_profiler.py", leaf.__code__.co_firstlineno, "leaf"
    assert (counts(one)[key], counts(other)[key]) == (2, 1)


def test_the_command(tmp_path):
    (tmp_path / "script.py").write_text(
        "import sys\ndef work():\n    print(sys.argv[1:], __name__)\nwork()\nsys.exit('bye')\n")

    def command(*arguments):
        return subprocess.run([sys.executable, "-m", "scope_profiler.cprofile", *arguments],
                              cwd=tmp_path, capture_output=True, text=True)

    done = command("-s", "cumulative", "script.py", "-s", "1")
    assert done.stdout.startswith("['-s', '1'] __main__\n") and done.stderr == "bye\n"
    assert "script.py:2(work)" in done.stdout and "Ordered by: cumulative time" in done.stdout
    done = command("-o", "x.prof", "-m", "script")
    assert done.stdout == "[] __main__\n"
    assert any(name == "work" for _, _, name in pstats.Stats(str(tmp_path / "x.prof")).stats)
