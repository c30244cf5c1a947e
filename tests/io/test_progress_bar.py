"""progress_bar.py: a bar where something takes long, on a terminal alone."""

import io
import sys

import pytest

from scope_profiler.io import progress_bar as module
from scope_profiler.io.progress_bar import progress


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def screen():
    return Screen()


def work(monkeypatch, stream, patience):
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(module, "_PATIENCE", patience)
    monkeypatch.setattr(module, "_AGAIN", 0)
    with progress("Writing [x]", 10) as advance:
        for _ in range(5):
            advance(2)


def test_a_bar_is_shown_of_what_takes_long(screen, monkeypatch):
    work(monkeypatch, screen, -1)
    first, *_, last, end = screen.getvalue().split("\r")[1:]
    assert first.startswith("Writing [x] ██████░░") and first.endswith(" 20 %")
    assert last.endswith(" 100 %") and end == "\x1b[2K"


def test_what_is_soon_over_has_none(screen, monkeypatch):
    work(monkeypatch, screen, 1000)
    assert screen.getvalue() == ""


@pytest.mark.parametrize("stream", [io.StringIO(), None])
def test_elsewhere_there_is_none(stream, monkeypatch):
    work(monkeypatch, stream, -1)
    assert stream is None or stream.getvalue() == ""


def test_a_closed_stream_is_no_terminal(monkeypatch):
    stream = io.StringIO()
    stream.close()
    work(monkeypatch, stream, -1)


def test_the_bar_goes_with_an_exception(screen, monkeypatch):
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(module, "_PATIENCE", -1)
    with pytest.raises(KeyError), progress("x", 10) as advance:
        advance(1)
        raise KeyError
    assert screen.getvalue().endswith("\x1b[2K")
