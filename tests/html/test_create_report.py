"""create_html_report(), as 0.7.5 has it; and the bar that tells how far a report is."""

from pathlib import Path
import sys

import pytest
from profiles import Terminal, a_run

import scope_profiler as sp

pytest.importorskip("jinja2"), pytest.importorskip("plotly")


def test_results_and_files_become_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = sp.load(a_run())
    results.to_html("one.html", sort="start")
    assert sp.create_html_report("run.json", "x.html") == Path("x.html")
    assert Path("x.html").read_bytes() == Path("one.html").read_bytes()
    results.to_html("two.html", others=[results], include="solve", ranks=0, sort="total")
    sp.create_html_report([results, Path("run.json")], "x.html", include="solve", ranks=0, sort="total")
    assert Path("x.html").read_bytes() == Path("two.html").read_bytes()
    with pytest.warns(UserWarning, match="charts_cdn=True has no effect: the report has all in it"):
        sp.create_html_report(results, "x.html", charts_cdn=True)
    for wrong in ([], 5):
        with pytest.raises((TypeError, ValueError), match="profiling_data takes results, or files of them"):
            sp.create_html_report(wrong, "x.html")


def test_a_bar_tells_how_far_it_is(tmp_path, monkeypatch):
    from scope_profiler.io import progress_bar

    monkeypatch.chdir(tmp_path)
    results, screen = sp.load(a_run()), Terminal()
    monkeypatch.setattr(progress_bar, "_PATIENCE", -1)
    monkeypatch.setattr(progress_bar, "_AGAIN", 0)
    monkeypatch.setattr(sys, "stderr", screen)
    results.to_html("x.html")
    shown = screen.getvalue().split("\r")
    assert shown[1].startswith("Writing x.html ███") and shown[-2].endswith(" 100 %")
