"""line_profiler/tables.py and html.py: the table of lines as JSON, CSV, data frame and HTML."""

import csv
from html.parser import HTMLParser
import io
import json

from hypothesis import given, strategies as st
import pytest

import line_text_reference as reference
from scope_profiler._model.counted_lines import EXTRAS, CountedLine
from scope_profiler.io import CorruptProfileError
from scope_profiler.line_profiler import LineStats

SHORT, GONE = ("program.py", 1, "short"), ("gone.py", 7, "<b>gone</b>")


@pytest.fixture(autouse=True)
def files(tmp_path):
    reference.write_files(tmp_path)


@pytest.fixture
def stats():
    return LineStats(
        {SHORT: [(2, 4, 3 * 10**9)], GONE: [(8, 1, 10**9), (9, 0, 0)]}, 1e-9,
        lines={GONE: [CountedLine(8, 1, 10**9, 5 * 10**8)]},
    )


ROWS = [
    ["program.py", "short", 1, 2, 4, 3.0, 0.75, 100.0, None, "    return 1"],
    ["gone.py", "<b>gone</b>", 7, 8, 1, 1.0, 1.0, 100.0, 5 * 10**8, None],
    ["gone.py", "<b>gone</b>", 7, 9, 0, 0.0, None, 0.0, None, None],
]
COLUMNS = ["file", "function", "first_line", "line", "hits", "time", "per_hit", "percent", "waiting_ns",
           "source"]


def test_csv(stats):
    [headings, *rows] = csv.reader(stats.to_csv().splitlines())
    assert headings == COLUMNS
    assert rows == [["" if value is None else str(value) for value in row] for row in ROWS]
    assert stats.to_csv("lines.csv") is None
    with open("lines.csv", encoding="utf-8") as file:
        assert file.read() == stats.to_csv()
    stream = io.StringIO()
    stats.to_csv(stream)
    assert stream.getvalue() == stats.to_csv()


def test_lines_that_did_not_run_on_request(stats):
    rows = [*csv.DictReader(stats.to_csv(all_lines=True).splitlines())]
    assert [(row["line"], row["hits"]) for row in rows] == [("1", ""), ("2", "4"), ("8", "1"), ("9", "0")]
    assert rows[0]["source"] == "def short():"


def test_nothing_has_its_headings():
    assert LineStats({}, 1e-9).to_csv() == "file,function,first_line,line,hits,time,per_hit,percent,source\n"


def test_data_frame(stats):
    pandas = pytest.importorskip("pandas")
    frame = stats.to_dataframe()
    assert [*frame.columns] == COLUMNS
    assert frame["hits"].tolist() == [4, 1, 0] and frame["time"].tolist() == [3.0, 1.0, 0.0]
    assert len(stats.to_dataframe(all_lines=True)) == 4
    assert [*LineStats({}, 1e-9).to_dataframe().columns][-1] == "source"
    assert isinstance(frame, pandas.DataFrame)


def test_no_pandas_is_explained(stats, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"to_dataframe\(\) needs pandas"):
        stats.to_dataframe()


def test_json(stats, tmp_path):
    content = json.loads(stats.to_json())
    assert content["format"] == "scope-profiler lines" and content["version"] == 1
    assert content["functions"][0] == {
        "file": "program.py", "first_line": 1, "name": "short",
        "source": ["def short():\n", "    return 1\n"],
        "lines": [{"line": 2, "hits": 4, "time": 3 * 10**9, "percent": 100.0}],
    }
    assert content["functions"][1]["lines"][0]["waiting_ns"] == 5 * 10**8
    stats.to_json("lines.json")
    (tmp_path / "program.py").unlink()
    read = LineStats.from_files("lines.json")
    assert read == stats and read.lines.keys() == {GONE}
    assert read.counted(GONE)[0] == CountedLine(8, 1, 10**9, 5 * 10**8)
    stream = io.StringIO()
    read.print(stream)
    assert "    return 1\n" in stream.getvalue()
    assert read.to_json() == LineStats.from_files("lines.json").to_json()


def test_kinds_of_files_are_added_up(stats):
    stats.to_json("lines.json")
    stats.to_file("x.lprof")
    both = LineStats.from_files("lines.json", "x.lprof")
    assert both == stats + stats and both.timings[SHORT] == [(2, 8, 6 * 10**9)]
    assert both.counted(GONE)[0].waiting_ns is None  # it is not known of one of them
    twice = stats + stats
    assert twice.counted(GONE) == [CountedLine(8, 2, 2 * 10**9, 10**9), CountedLine(9, 0, 0)]
    twice += stats
    assert twice.counted(GONE)[0].waiting_ns == 15 * 10**8 and twice.sources == stats.sources


@pytest.mark.parametrize("change", [
    lambda content: content.update(format="other"),
    lambda content: content.update(version=2),
    lambda content: content.update(unit=0),
    lambda content: content.update(unit="1"),
    lambda content: content.update(unit=float("inf")),
    lambda content: content.update(functions=3),
    lambda content: content.pop("functions"),
    lambda content: content["functions"].append(3),
    lambda content: content["functions"][0].pop("name"),
    lambda content: content["functions"][0].update(source="text"),
    lambda content: content["functions"][0].update(source=[3]),
    lambda content: content["functions"][0]["lines"][0].update(hits=1.5),
    lambda content: content["functions"][0]["lines"][0].update(time=10**30),
    lambda content: content["functions"][1]["lines"][0].update(waiting_ns="long"),
])
def test_damaged_json_is_refused(stats, change):
    content = json.loads(stats.to_json())
    change(content)
    with open("lines.json", "w") as file:
        json.dump(content, file)
    try:
        LineStats.from_files("lines.json")
    except CorruptProfileError as error:
        assert str(error).startswith("cannot read lines.json: it ")
    else:
        assert content["functions"][0]["source"] == "text"  # a text is its characters


@given(st.binary(max_size=20))
def test_garbage_is_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "garbage.json"
    for text in (b"{" + data, b"{" + b"[" * 100_000):
        path.write_bytes(text)
        with pytest.raises(CorruptProfileError):
            LineStats.from_files(path)


KEYS = st.tuples(st.text(max_size=5), st.integers(0, 99), st.text(max_size=5))
LINES = st.lists(st.builds(
    CountedLine, st.integers(0, 99), st.integers(0, 2**62), st.integers(0, 2**53),
    *[st.none() | st.integers(-2**53, 2**53)] * len(EXTRAS), st.none() | st.dictionaries(
        st.tuples(st.floats(1e-3, 100), st.integers(0, 4095)), st.integers(1, 2**53))),
    unique_by=lambda row: row.line).map(lambda rows: sorted(rows, key=lambda row: row.line))


@given(st.dictionaries(KEYS, LINES, max_size=3))
def test_all_that_is_known_goes_through_json(tmp_path_factory, lines):
    path = tmp_path_factory.getbasetemp() / "lines.json"
    stats = LineStats({key: [row[:3] for row in rows] for key, rows in lines.items()}, 1e-9, lines=lines,
                      sources={key: [key[0], key[2]] for key in lines if key[0]})
    stats.to_json(path)
    read = LineStats.from_files(path)
    assert read == stats and read.sources == stats.sources
    assert {key: read.counted(key) for key in lines} == lines
    parsed(stats)
    assert len([*csv.DictReader(io.StringIO(stats.to_csv()))]) == sum(map(len, lines.values()))


# ---- HTML


class Balanced(HTMLParser):
    """Collects the texts, and checks that what begins ends."""

    def __init__(self):
        super().__init__()
        self.open, self.texts, self.tags = [], [], set()

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def parsed(stats):
    page = Balanced()
    page.feed(stats._repr_html_())
    page.close()
    assert page.open == []
    return page


def test_html(stats):
    page = parsed(stats)
    assert "script" not in page.tags and "b" in page.tags
    assert page.texts.count("<b>gone</b>") == 1
    assert "    return 1" in page.texts and "3.000 s" in page.texts and "750.0 ms" in page.texts
    assert "Waiting" in page.texts and "500.0 ms" in page.texts
    assert "Its source is not to be found: lines are shown without their contents." in page.texts


def test_html_of_nothing():
    assert "No line was counted." in parsed(LineStats({SHORT: []}, 1e-9)).texts


def test_nothing_from_a_file_gets_into_the_page():
    key = ('<script>"x', 1, "'<i>&amp;")
    stats = LineStats({key: [(1, 1, 1)]}, 1e-9, sources={key: ["</td><script>alert(1)</script>\x1b\n"]})
    page = parsed(stats)
    assert page.tags <= {"div", "style", "details", "summary", "b", "span", "table", "thead", "tbody",
                         "tr", "th", "td"}
    assert "</td><script>alert(1)</script>\\x1b" in page.texts
