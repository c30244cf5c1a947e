"""kernprof_words.py: the words of a command line as kernprof takes them."""

import click
import pytest

from scope_profiler.cli.kernprof import kernprof


def taken(*words):
    """(what is given of the options, the program's words)"""
    with kernprof.make_context("kernprof", list(words)) as context:
        given = {name: value for name, value in context.params.items()
                 if value not in (None, (), "words", "_") and (value or name not in ("verbose", "quiet"))}
        program = list(given.pop("words", ()))
        return {name: value for name, value in given.items() if name != "no_config" or value}, program


@pytest.mark.parametrize("words, options, program", [
    ("-l s.py", {"line_by_line": True}, ["s.py"]),
    ("-lbvz s.py a", {"line_by_line": True, "builtin": True, "verbose": 1, "skip_zero": True}, ["s.py", "a"]),
    ("-vv -q s.py", {"verbose": 2, "quiet": 1}, ["s.py"]),
    ("--view --verbose s.py -v", {"verbose": 2}, ["s.py", "-v"]),
    ("-lv -m pkg.mod -l x", {"line_by_line": True, "verbose": 1, "module": "pkg.mod"}, ["-l", "x"]),
    ("-lm mod --help", {"line_by_line": True, "module": "mod"}, ["--help"]),
    ("-c x=1 -m a", {"text": "x=1"}, ["-m", "a"]),
    ("- -m a", {}, ["-", "-m", "a"]),
    ("-p a -p b,c -m d -p e", {"prof_mod": ("a", "b,c"), "module": "d"}, ["-p", "e"]),
    ("-pa s.py", {"prof_mod": ("a",)}, ["s.py"]),
    ("--prof-mod=a s.py", {"prof_mod": ("a",)}, ["s.py"]),
    ("s.py -- -m a", {}, ["s.py", "-m", "a"]),
    ("s.py x -- -m a", {}, ["s.py", "x", "--", "-m", "a"]),
    ("-- s.py -m a", {}, ["s.py", "-m", "a"]),
    ("-z -- s.py -- a", {"skip_zero": True}, ["s.py", "--", "a"]),
    ("--rich s.py", {"rich": True}, ["s.py"]),
    ("--rich no s.py", {"rich": False}, ["s.py"]),
    ("--rich=Off s.py", {"rich": False}, ["s.py"]),
    ("--no-rich s.py", {"rich": False}, ["s.py"]),
    ("--no-rich=no s.py", {"rich": True}, ["s.py"]),
    ("--line-by-line Yes --skip-zero 0 s.py", {"line_by_line": True, "skip_zero": False}, ["s.py"]),
    ("-r yes", {"rich": True}, ["yes"]),
    ("-i s.py", {"output_interval": 1}, ["s.py"]),
    ("-i 7 s.py", {"output_interval": 7}, ["s.py"]),
    ("-li7 s.py", {"line_by_line": True, "output_interval": 7}, ["s.py"]),
    ("--output-interval=7 s.py", {"output_interval": 7}, ["s.py"]),
    ("-u 1e-3 -o x.lprof -s y.py s.py", {"unit": 1e-3, "outfile": "x.lprof", "setup": "y.py"}, ["s.py"]),
    ("--config x.toml --no-config s.py", {"config": "x.toml", "no_config": True}, ["s.py"]),
])
def test_words(words, options, program):
    assert taken(*words.split()) == (options, program)


@pytest.mark.parametrize("words, message", [
    ("-m", "requires an argument"), ("-m -- mod", "requires an argument"), ("-p", "requires an argument"),
    ("--nonsense s.py", "No such option"), ("-lx s.py", "No such option"),
    ("--rich=perhaps s.py", "--rich takes yes or no, got 'perhaps'"),
    ("-i -1 s.py", "No such option"), ("--output-interval=x s.py", "not a valid int"),
    ("-u 0 s.py", "above 0"), ("-u x s.py", "not a valid float"), ("--view=3 s.py", "does not take a value"),
])
def test_words_that_are_wrong(words, message):
    with pytest.raises(click.UsageError) as caught:
        taken(*words.split())
    assert message in caught.value.format_message()


def test_an_empty_target_is_one():
    assert taken("-p", "", "s.py") == ({"prof_mod": ("",)}, ["s.py"])
