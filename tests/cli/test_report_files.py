"""scope-profiler report: its file, and the browser. What is in the report is tested beside html/."""

from pathlib import Path
import webbrowser

import pytest
from profiles import a_run

from scope_profiler.cli import main

pytest.importorskip("jinja2"), pytest.importorskip("plotly")


def test_it_is_shown_in_the_browser(monkeypatch, capsys):
    a_run()
    opened, found = [], True
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or found)
    assert main(["report", "run.json", "--show"]) is None
    assert opened == [Path("run.html").absolute().as_uri()]
    found = False
    assert main(["report", "run.json", "--show", "-o", "x.html"]) == 2
    assert "x.html: there is no browser to show it in" in capsys.readouterr().err
    assert Path("x.html").exists()


def test_options_of_the_peer_that_have_no_effect_say_so(capsys):
    a_run()
    assert main(["report", "run.json", "--columns", "calls", "--no-charts", "--charts-cdn"]) is None
    said = capsys.readouterr()
    assert said.out == "Wrote run.html\n"
    assert [line.split()[0] for line in said.err.splitlines()] == ["--columns", "--no-charts", "--charts-cdn"]
