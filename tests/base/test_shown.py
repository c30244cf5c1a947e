"""shown.py: nothing that came from data controls the terminal, wherever it is printed."""

import io
import subprocess
import sys
import unicodedata

from hypothesis import given, strategies as st
import pytest

import scope_profiler as sp
from scope_profiler import ProfileManager, cli
from scope_profiler.io import export_json
from scope_profiler._base.shown import cells, cut, padded, shortened, shown
from scope_profiler._base.warning import complain, warn

EVIL = "a\x1b[31mb\x07c\x9bd\u202ee\nf\rg\u2028h\x00"  # of which no path can have the last
PATH = EVIL.replace("\x00", "").replace("\n", "")


def assert_harmless(text, lines=None):
    for character in text:
        assert character == "\n" or character.isprintable(), ascii(text)
    if lines is not None:
        assert text.count("\n") == lines, text


@given(st.text())
def test_what_is_shown_is_one_line_of_what_prints(text):
    assert shown(text).isprintable()
    if text.isprintable():
        assert shown(text) == text


def test_what_does_not_print_is_escaped():
    assert shown(EVIL) == (
        r"a\x1b[31mb\x07c\x9bd\u202ee\nf\rg\u2028h\x00")
    assert shown("\ud800") == r"\ud800"
    assert shown(ValueError("x\ny")) == r"x\ny"


@given(st.text(), st.integers(1, 40))
def test_texts_are_cut_to_cells(text, width):
    text = shown(text)
    for short in (cut(text, width), shortened(text, width)):
        assert cells(short) <= width
        if cells(text) <= width:
            assert short == text
        else:
            assert short.count("…") == text.count("…") + 1 or "…" in text
    assert cells(padded(cut(text, width), width)) == width
    assert cells(padded(cut(text, width), width, right=True)) == width


@pytest.mark.parametrize("text, expected", [
    ("abc", 3), ("日本語", 6), ("é", 1), ("e\u0301", 1), ("🎉", 2), ("", 0), ("ｱ", 1), ("Ａ", 2),
])
def test_cells(text, expected):
    assert cells(text) == expected


def test_long_names_are_shortened_in_the_middle():
    assert shortened("solver.step.inner.product", 11) == "solve…oduct"
    assert shortened("日本語日本語日本語", 9) == "日本…本語"


# ---- Wherever it is printed


def printed_by_a_run(tmp_path, monkeypatch, tty=False):
    """A whole program with evil names, and everything that it prints."""

    class Stream(io.StringIO):
        def isatty(self):
            return tty

    monkeypatch.setenv("NO_COLOR", "1")
    stream = Stream()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr("sys.stderr", stream)
    source = tmp_path / "evil.py"
    source.write_text("def f():\n    return '\x1b[31m\x07\u202e'\n", encoding="utf-8")
    namespace = {}
    exec(compile(source.read_text(encoding="utf-8"), source, "exec"), namespace)
    namespace["f"].__qualname__ = EVIL
    manager = ProfileManager()
    manager.setup(label=EVIL, file_path=tmp_path / f"{PATH}.h5", use_line_profiler=True,
                  track_threads=True)
    f = manager.profile(EVIL)(namespace["f"])
    f()
    with pytest.raises(ValueError), manager.profile_region(EVIL + "2"), manager.metadata(**{"x": EVIL}):
        f()
        raise ValueError(EVIL)
    for style in ("table", "blocks"):
        results = manager.finalize(return_results=True, style=style)
    manager.get_region(EVIL).print_stats()
    results.print_summary()
    results.print_summary(title=EVIL, columns=["region", "calls", "first"])
    loaded = sp.load(manager._run.file_path, verbose=True)
    loaded.print_summary()
    sp.load_processes(manager._run.file_path, verbose=True).print_summary()
    sp.read_h5_summary(manager._run.file_path, verbose=True).print_summary()
    export_json(results, tmp_path / f"{PATH}.json", verbose=True)
    complain("it failed", ValueError(EVIL))
    manager.reset()
    return stream.getvalue()


@pytest.mark.parametrize("tty", [False, True])
def test_nothing_printed_controls_the_terminal(tmp_path, monkeypatch, tty):
    pytest.importorskip("h5py")
    text = printed_by_a_run(tmp_path, monkeypatch, tty)
    assert text.count(r"\x1b[31m") > 10
    assert_harmless(text)


def test_metadata_that_could_not_be_noted(manager, capsys):
    def fails():
        raise ValueError(EVIL)

    @manager.profile("f", metadata=fails)
    def f():
        pass

    f()
    manager.finalize()
    text = capsys.readouterr().out
    assert r"\x1b[31m" in text
    assert_harmless(text)


def test_warnings():
    with pytest.warns(UserWarning) as caught:
        warn(EVIL)
    assert_harmless(str(caught[0].message), 0)


def test_the_command_line(capsys):
    for arguments in (["run", PATH + ".py"], ["run", "-o", PATH + ".x/y.h5", __file__],
                      ["run", "--config", PATH, __file__]):
        assert cli.main(arguments) != 0
        text = capsys.readouterr().err
        assert text
        assert_harmless(text)


def test_categories_are_those_of_this_python():
    """What prints today prints in the tests above: control, format and separators never do."""
    for number in range(0x3000):
        character = chr(number)
        if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp"):
            assert shown(character) != character


def test_it_costs_no_import():
    done = subprocess.run([sys.executable, "-c", "import scope_profiler, sys; "
                           "assert 'scope_profiler._base.shown' not in sys.modules"])
    assert done.returncode == 0
