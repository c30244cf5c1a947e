"""Flame graphs (.svg): one picture, that can be zoomed and searched in any browser, without a network."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from .._base.arguments import boolean, finite, integer
from .._base.shown import shown
from .._model.recorded import Node
from ..io.json_export import write_each
from ..io.safe_file import written
from ..results import ProfilingResults
from ..results.functions import CallSums, Place, place_in, sums_of
from .drawn_trees import drawn_trees_of
from .timelines import process_name
from .weights import preorder, weights_of

#: Pixels: of a row, of a letter of the font (an upper bound of what browsers draw), around everything.
_ROW, _LETTER, _MARGIN, _HEAD = 18, 7.0, 10, 56


class _Box(NamedTuple):
    """A rectangle: how deep, from where to where in ns, what it says, and when the pointer is on it."""

    depth: int
    begin: int
    length: int
    name: str
    title: str


def export_flamegraph_svg(
    profiling_data: ProfilingResults | Iterable[ProfilingResults],
    filepath: str | os.PathLike[str],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    call_paths: bool = True,
    width: int = 1200,
    threshold: float = 0.001,
    scalable: bool = True,
    verbose: bool = True,
) -> list[Path]:
    """Draw the tree of each run as a flame graph, and return the paths of the pictures.

    A click on a box shows it over the whole width, one on the lowest row everything again; what is
    searched for is drawn in another colour.

    call_paths: No meaning: every path has its own box.
    width: Of the picture, pixels. scalable: Whether it becomes as wide as the window.
    threshold: Boxes of a smaller share of all time are left out.

    The other arguments are those of `export_prof`, which raises the same.
    """
    boolean("call_paths", call_paths)

    def write(run: ProfilingResults, path: Path) -> list[Path]:
        return write_flamegraph(run, path, ranks, include, exclude, width=width, threshold=threshold,
                                scalable=scalable)

    return write_each(profiling_data, filepath, ".svg", write, verbose)


def write_flamegraph(
    results: ProfilingResults,
    path: Path,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    *,
    width: int = 1200,
    threshold: float = 0.001,
    scalable: bool = True,
    place: Callable[[str, str], None] = os.replace,
) -> list[Path]:
    """Draw it into one file; see `export_flamegraph_svg`. place: see `replacing`."""
    integer("width", width, 200)
    boolean("scalable", scalable)
    if not 0 <= finite("threshold", threshold) < 1:
        raise ValueError(f"threshold takes a number from 0 to below 1, got {threshold!r}")
    trees = [
        (process_name(results, rank), nodes)
        for rank, nodes in drawn_trees_of(results, ranks, include, exclude)
    ]
    boxes = list(_boxes(trees, place_in(results)))
    total = boxes[0].length
    kept = [box for box in boxes if box.length >= threshold * total and box.length]
    title = shown(results.display_label) or "flame graph"
    with written(path, place) as file:
        for piece in _picture(kept, len(boxes) - len(kept), total, title, width, scalable):
            file.write(piece.encode("utf-8", "backslashreplace"))
    return [path]


def _boxes(trees: Sequence[tuple[str, Sequence[Node]]], where: Place) -> Iterator[_Box]:
    """The boxes, the one of everything first."""
    weights = [weights_of(nodes) for _, nodes in trees]
    of_trees = [
        sum(weight for node, weight in zip(nodes, known) if node.parent < 0)
        for (_, nodes), known in zip(trees, weights)
    ]
    total = sum(of_trees)
    yield _Box(0, 0, total, "all", f"all: {_time(total)}")
    begin = 0
    for (process, nodes), known, length in zip(trees, weights, of_trees):
        above = 1
        if len(trees) > 1:
            title = f"{process}: {_time(length)}, {_share(length, total)}"
            yield _Box(1, begin, length, process, title)
            above = 2
        depth, ahead = [0] * len(nodes), [0] * (len(nodes) + 1)
        ahead[-1] = begin
        for place in preorder(nodes):
            node, weight = nodes[place], known[place]
            depth[place] = depth[node.parent] + 1 if node.parent >= 0 else above
            start = ahead[place] = ahead[node.parent]
            ahead[node.parent] = start + weight
            title = _title(node, sums_of(node), weight, total, where)
            yield _Box(depth[place], start, weight, node.name, title)
        begin += length


def _title(node: Node, sums: CallSums, weight: int, total: int, where: Place) -> str:
    file, line = where(node.name)
    at = "" if file is None else f" ({file}:{line})" if line else f" ({file})"
    calls = f", {sums.calls} call{'' if sums.calls == 1 else 's'}" if sums.calls else ""
    return (f"{node.name}{at}: {_time(weight)}, {_share(weight, total)}, "
            f"own {_time(sums.own_ns)}{calls}")


def _time(nanoseconds: int) -> str:
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}" if nanoseconds < 1000 * size else (
                f"{nanoseconds / size:.0f} {unit}")
    return f"{nanoseconds} ns"


def _share(part: int, total: int) -> str:
    return f"{100 * part / total:.1f} %" if total else "0 %"


def _picture(
    boxes: Sequence[_Box], left_out: int, total: int, title: str, width: int, scalable: bool
) -> Iterator[str]:
    """The text of the picture, in pieces."""
    inner = width - 2 * _MARGIN
    height = _HEAD + _ROW * (1 + max((box.depth for box in boxes), default=0)) + 2 * _MARGIN + _ROW
    yield (f'<?xml version="1.0" encoding="UTF-8"?>\n'
           f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}" data-scalable="{str(scalable).lower()}" '
           f'data-inner="{inner}" data-margin="{_MARGIN}" data-letter="{_LETTER}">\n'
           f"<title>{_escaped(title)}</title>\n"
           f"<style>{_resource('flamegraph.css')}</style>\n"
           f'<rect class="paper" width="100%" height="100%"/>\n'
           f'<text class="head" x="{_MARGIN}" y="22">{_escaped(_fitting(title, inner * 0.6))}</text>\n'
           f'<text class="button" id="search" x="{width - _MARGIN}" y="22">search</text>\n'
           f'<text class="button" id="reset" x="{width - _MARGIN - 70}" y="22">show all</text>\n'
           f'<text class="line" id="details" x="{_MARGIN}" y="44">'
           f"{_escaped(_note(total, left_out))}</text>\n"
           '<g id="boxes">\n')
    for box in boxes:
        x = _MARGIN + inner * box.begin / total if total else _MARGIN
        wide = inner * box.length / total if total else inner
        y = _HEAD + _ROW * box.depth
        name = shown(box.name)
        label = _fitting(name, wide - 6)
        yield (f'<g class="box" data-b="{box.begin}" data-l="{box.length}" data-n="{_escaped(name)}">'
               f"<title>{_escaped(shown(box.title))}</title>"
               f'<rect x="{x:.2f}" y="{y}" width="{wide:.2f}" height="{_ROW - 1}" '
               f'fill="{_colour(box)}"/>'
               f'<text x="{x + 3:.2f}" y="{y + _ROW - 6}">{_escaped(label)}</text></g>\n')
    yield f"</g>\n<script><![CDATA[{_resource('flamegraph.js')}]]></script>\n</svg>\n"


def _note(total: int, left_out: int) -> str:
    more = f"; {left_out} boxes are too narrow to be drawn" if left_out > 1 else (
        "; one box is too narrow to be drawn" if left_out else "")
    return f"{_time(total)} in all{more}"


def _fitting(name: str, room: float) -> str:
    """As much of a name as there is room for, pixels; nothing where that is next to nothing."""
    letters = int(room / _LETTER)
    if len(name) <= letters:
        return name
    return f"{name[: letters - 1]}…" if letters >= 3 else ""


def _colour(box: _Box) -> str:
    """A warm colour, the same for the same name everywhere."""
    if box.depth == 0:
        return "#d9d9d9"
    number = zlib.crc32(box.name.encode("utf-8", "backslashreplace"))
    return f"hsl({number % 52 + 4},{70 + number // 52 % 22}%,{62 + number // 1144 % 14}%)"


def _escaped(text: str) -> str:
    """Text in XML, which has no control characters, not even escaped."""
    text = re.sub(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
    for character, entity in ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"):
        text = text.replace(character, entity)
    return text


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
