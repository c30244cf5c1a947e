"""docs/reading-a-profile.md: its commands run, and print what it shows. With WRITE_GOLDEN=1 what they print
is written there."""

import os
import re

import pytest

from conftest import NEEDS_H5PY, ROOT
from profiles import Terminal

from scope_profiler.cli import main

PAGE = ROOT / "docs" / "reading-a-profile.md"
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.M | re.S)


def block(kind):
    return re.search(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)[1]


def words(text):
    """Those of the headings: what else there is depends on how fast the machine is."""
    lines = (line for line in text.splitlines() if not re.search(r"\d|FAILED|passed|─", line))
    return {word for line in lines for word in line.split() if "  " in line}


def test_the_page_shows_a_run_that_is_slower():
    """As it was when the page was written: a busy machine may hide it."""
    blocks = {match[1].splitlines()[0].split()[2]: match[1] for match in CONSOLE.finditer(
        PAGE.read_text(encoding="utf-8")) if " before after" in match[1]}
    assert all(re.search(r"^search .* slower$", text, re.M) for text in blocks.values()) and len(blocks) == 2
    assert blocks["check"].rstrip().endswith("FAILED")


@NEEDS_H5PY
def test_the_tour(monkeypatch):
    pytest.importorskip("jinja2")
    pytest.importorskip("plotly")
    for path, kind in (("shop.py", "python"), ("budget.toml", "toml")):
        with open(path, "w") as file:
            file.write(block(kind))
    os.mkdir("before"), os.mkdir("after")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    statuses = []

    def printed(match):
        texts = []
        for command in re.findall(r"^\$ scope-profiler (.*)$", match[1], re.M):
            stream = Terminal()
            with monkeypatch.context() as patch:
                patch.setattr("sys.stdout", stream)
                statuses.append(main(command.split()) or 0)
            texts.append(f"$ scope-profiler {command}\n{stream.getvalue()}")
        text = "".join(texts)
        assert words(match[1]) <= words(text) or os.environ.get("WRITE_GOLDEN")
        return f"```console\n{text}```"

    page = CONSOLE.sub(printed, PAGE.read_text(encoding="utf-8"))
    assert {*statuses[:-2], statuses[-1]} == {0} and statuses[-2] in (0, 1)
    if os.environ.get("WRITE_GOLDEN"):
        PAGE.write_text(page, encoding="utf-8")
