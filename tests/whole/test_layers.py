"""The folders of src/: who includes whom. Arrows point down, and there is no circle."""

import re
import statistics

import pytest

from conftest import ROOT

#: From the bottom up. What stands on one line does not know of each other.
LAYERS = [
    ("base",),
    ("memory", "counters"),
    ("record",),
    ("journal",),
    ("lines",),
    ("calls",),
    ("sampler",),
    ("backend/monitoring", "backend/py311"),
    ("python",),
]
LEVEL = {folder: level for level, folders in enumerate(LAYERS) for folder in folders}


def includes_of(source):
    """{file: files of ours that it includes}, as paths below `source`."""
    return {
        str(path.relative_to(source)): re.findall(r'^#include "([^"]+)"', path.read_text(), re.M)
        for path in sorted(source.rglob("*.[ch]"))
    }


def folder_of(file):
    return file.rpartition("/")[0]


def wrong_ways(includes):
    """What points up, or to the side into another folder of the same layer."""
    return [
        f"{file} -> {included}"
        for file, all_included in includes.items()
        for included in all_included
        if folder_of(included) != folder_of(file)
        and LEVEL[folder_of(included)] >= LEVEL[folder_of(file)]
    ]


def circles(includes):
    """The units (a .h and its .c) that include each other, however indirectly."""
    graph = {}
    for file, all_included in includes.items():
        unit = file[:-2]
        graph.setdefault(unit, set()).update(name[:-2] for name in all_included)
        graph[unit].discard(unit)
    reached = {unit: set(below) for unit, below in graph.items()}
    for by in graph:
        for below in reached.values():
            if by in below:
                below |= reached.get(by, set())
    return sorted({tuple(sorted(other for other in below if unit in reached[other]))
                   for unit, below in reached.items() if unit in below})


def defined_elsewhere(source):
    """Functions that a header declares and its .c does not define: a way around the includes."""
    missing = []
    for path in sorted(source.rglob("*.h")):
        declared = re.findall(
            r"^(?!static|SP_INLINE|typedef|extern)\w[^\n;{}#]*?\b(sp_\w+)\([^;{}]*\);",
            re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S), re.M)
        unit = path.with_suffix(".c")
        defines = unit.read_text() if unit.exists() else ""
        missing += [f"{path.relative_to(source)}: {name}" for name in declared
                    if not re.search(rf"^\w[^\n]*\b{name}\(", defines, re.M)]
    return missing


@pytest.fixture(scope="module")
def includes():
    return includes_of(ROOT / "src")


def test_what_a_header_declares_its_file_defines():
    assert defined_elsewhere(ROOT / "src") == []


def test_a_function_of_another_file_is_found(tmp_path):
    (tmp_path / "low").mkdir()
    (tmp_path / "high").mkdir()
    (tmp_path / "low" / "a.h").write_text("int sp_low(void);\n/* Up. */\nvoid sp_up(int x,\n    int y);\n")
    (tmp_path / "low" / "a.c").write_text("int sp_low(void) { return 0; }\n")
    (tmp_path / "high" / "b.c").write_text("void sp_up(int x, int y) {}\n")
    assert defined_elsewhere(tmp_path) == ["low/a.h: sp_up"]


def test_each_file_is_in_a_layer(includes):
    assert {folder_of(file) for file in includes} == set(LEVEL)


def test_what_is_included_is_there(includes):
    assert {name for names in includes.values() for name in names} <= set(includes)


def test_includes_point_down(includes):
    assert wrong_ways(includes) == []


def test_no_units_include_each_other(includes):
    assert circles(includes) == []


@pytest.mark.parametrize("file, line, found", [
    ("base/clock.h", "lines/lines.h", "base/clock.h -> lines/lines.h"),
    ("record/node.c", "python/state.h", "record/node.c -> python/state.h"),
    ("backend/py311/evaluator.c", "backend/monitoring/callback.h",
     "backend/py311/evaluator.c -> backend/monitoring/callback.h"),
])
def test_an_include_that_points_up_is_found(includes, file, line, found):
    assert wrong_ways({**includes, file: [*includes[file], line]}) == [
        *wrong_ways(includes), found]


def test_a_circle_is_found():
    assert circles({"base/a.h": ["base/b.h"], "base/b.c": ["base/c.h"], "base/b.h": [],
                    "base/c.h": ["base/a.h"], "base/d.h": ["base/a.h"]}) == [
        ("base/a", "base/b", "base/c")]


def test_files_that_comments_name_are_there(includes):
    named = {
        f"{path.relative_to(ROOT)}: {name}"
        for folder, pattern in (("tests", "**/*.py"), ("scope_profiler", "**/*.py"), ("docs", "*.md"))
        for path in (ROOT / folder).glob(pattern)
        for name in re.findall(r"\bsrc/([\w/]+\.[ch])\b", path.read_text(encoding="utf-8"))
        if name not in includes
    }
    stems = {name.rpartition("/")[2] for name in includes}
    named |= {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "src").rglob("*.[ch]")
        for name in re.findall(r"(?<![</])\b([a-z_]+\.[ch])\b(?!>)", path.read_text())
        if name not in stems and name != "uthash.h"
    }
    assert named == set()


def test_the_core_takes_memory_in_one_way():
    """Which is not counted as the program's."""
    ways = {"src/base/heap.c", "src/base/local.c"}  # a thread's own, before anything can be counted
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "src").rglob("*.[ch]")
            if "PyMem_Raw" in path.read_text()} == ways


def test_files_are_short():
    lines = {path: len(path.read_text().splitlines()) for path in (ROOT / "src").rglob("*.[ch]")}
    assert [path for path, count in lines.items() if count > 500] == []
    assert statistics.median(lines.values()) < 150
