"""html/catalogue: a page that links reports; scope-profiler catalogue."""

from html.parser import HTMLParser
import os
import subprocess
import sys
from urllib.parse import unquote

import pytest

from scope_profiler.html.catalogue import create_catalogue


class Links(HTMLParser):
    """The links of a page, and all its text."""

    def __init__(self, path):
        super().__init__()
        self.links, self.texts, self.tags = [], [], set()
        with open(path, encoding="utf-8") as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag == "a":
            self.links.append(dict(attributes)["href"])

    def handle_data(self, data):
        self.texts.append(data.strip())


def report(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)
    return path


def test_reports_are_linked_by_their_titles_from_wherever_the_page_is():
    paths = [
        report("runs/a b#1?.html", "<html><head><TITLE>\n Monday &amp; more </TITLE>"),
        report("runs/deep/none.html", "<p>no title"),
        report("x.html", "<title></script><img src=x onerror=alert(1)>\x1b[31m</title>"),
    ]
    create_catalogue(paths, "pages/index.html", title="<b>All</b> & more")
    page = Links("pages/index.html")
    assert [os.path.normpath(os.path.join("pages", unquote(link))) for link in page.links] == paths
    assert {"Monday & more", "none", "<b>All</b> & more",
            "</script><img src=x onerror=alert(1)>\\x1b[31m"} <= set(page.texts)
    assert page.tags.isdisjoint({"script", "img", "b"})


@pytest.mark.parametrize("reports, page, message", [
    ([], "x.html", "reports must have at least one path"),
    ("a.html", "x.html", "reports must be several paths; got 'a.html'"),
    (["a.html"], "a.html", "filepath must not be one of the reports; got 'a.html'"),
])
def test_what_cannot_be(reports, page, message):
    report("a.html", "")
    with pytest.raises((TypeError, ValueError), match=message):
        create_catalogue(reports, page)


def catalogue(*words):
    return subprocess.run([sys.executable, "-m", "scope_profiler", "catalogue", *words], capture_output=True,
                          text=True)


def test_the_command():
    report("a.html", "<title>A</title>")
    done = catalogue("a.html")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Wrote catalogue.html\n", "")
    assert Links("catalogue.html").links == ["a.html"]
    done = catalogue("a.html", "-o", "b.html", "--title", "T")
    assert done.stdout == "Wrote b.html\n" and "T" in Links("b.html").texts
    done = catalogue("a.html", "missing.html", "-o", "c.html")
    assert (done.returncode, done.stderr) == (2, "Error: missing.html: No such file or directory\n")
    assert not os.path.exists("c.html")
