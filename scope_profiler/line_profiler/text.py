"""The table of lines as text, character for character that of line_profiler where its output is no
terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import linecache
import os
import sys
import tempfile
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

from .._base import source_lines
from .._base.shown import shown
from ..report.plain_lines import WIDTHS, PlainLines
from .toml_config import ConfigSource
from .whole_calls import table

if TYPE_CHECKING:
    from .stats import Key, Row
    from .toml_config import ConfigArgument
    from .whole_calls import WholeCalls


def show_text(
    stats: Mapping[Key, Sequence[Row]],
    unit: float,
    output_unit: float | None = None,
    stream: IO[str] | None = None,
    stripzeros: bool = False,
    details: bool = True,
    summarize: bool = False,
    sort: bool = False,
    rich: bool = False,
    *,
    config: ConfigArgument = None,
    sources: Mapping[Key, list[str]] | None = None,
    calls: WholeCalls | None = None,
) -> None:
    """Print the tables of functions to stream (sys.stdout).

    stats: {(file, first line, name): [(line, hits, time), ...]}. unit: seconds that a time of 1
    stands for. output_unit: seconds, in multiples of which times are shown; unit unless it is given.
    stripzeros: functions that did not run are left out. details: a table for each function.
    summarize: after these, a line for each with its total. sort: those that took least first, else
    as they are in stats. rich: coloured, if the package rich is installed. config: a TOML file with
    the widths of columns, see ConfigSource. sources: {key of stats: its lines} of functions whose
    text is known; the others are looked for. calls: {name: (how often it was called, the time of that)} of
    functions without lines, whose table comes after the others.
    """
    stream = sys.stdout if stream is None else stream
    items = [*stats.items()]
    if sort:
        items.sort(key=lambda item: _total(item[1]))
    _write(stream, f"Timer unit: {unit if output_unit is None else output_unit:g} s\n\n")
    widths = _widths(config)
    if details:
        for key, rows in items:
            source = (sources or {}).get(key)
            _show(key, rows, unit, output_unit, stream, stripzeros, rich, widths, source)
    called = {name: call for name, call in (calls or {}).items() if call[0] or not stripzeros}
    if details and called:
        clean = _cleaner(stream)
        scale = 1.0 if output_unit is None else unit / output_unit
        _write(stream, "".join(table({clean(name): call for name, call in called.items()}, scale, widths)))
    if summarize:
        _summarize([(key, _total(rows) * unit) for key, rows in items], stream, stripzeros, rich)
        for name, (_, time) in called.items():
            _write(stream, f"{time * unit:6.2f} seconds - {_cleaner(stream)(name)}\n")


def show_func(
    filename: str,
    start_lineno: int,
    func_name: str,
    timings: Sequence[Row],
    unit: float,
    output_unit: float | None = None,
    stream: IO[str] | None = None,
    stripzeros: bool = False,
    rich: bool = False,
    *,
    config: ConfigArgument = None,
) -> None:
    """Print the table of one function: see show_text()."""
    _show((filename, start_lineno, func_name), timings, unit, output_unit,
          sys.stdout if stream is None else stream, stripzeros, rich, _widths(config))


def get_column_widths(config: ConfigArgument = False) -> Mapping[str, int]:
    """The widths of columns that a TOML file gives, those of line_profiler by default: see
    ConfigSource."""
    source = ConfigSource.from_config(config).get_subconfig("show", "column_widths")
    return MappingProxyType(dict(source.conf_dict))


def get_code_block(filename: str | os.PathLike[str], lineno: int) -> list[str]:
    """The lines of the function or class that begins in a line of a file; understands Cython."""
    return source_lines.block_in(linecache.getlines(os.fspath(filename)), lineno)


def is_generated_code(filename: str) -> bool:
    """Whether the name is that of a notebook's or IPython's cell, or of code that was generated: no
    file of it need exist."""
    temporary = os.path.join(tempfile.gettempdir(), "")
    prefixes = ("<generated", "<ipython-input-", f"{temporary}ipykernel_", f"{temporary}xpython_")
    return os.path.normcase(filename).startswith(tuple(map(os.path.normcase, prefixes)))


def _widths(config: ConfigArgument) -> dict[str, int]:
    given = get_column_widths(config)
    return {name: max(width, given.get(name, width)) for name, width in WIDTHS.items()}


def _total(rows: Sequence[Row]) -> int | float:
    return sum(time for _, _, time in rows)


_NOT_FOUND = """\

Could not find file {}
Are you sure you are running this program from the same directory
that you ran the profiler from?
Continuing without the function's contents.
"""

_CHANGED = """\
(its source is not there any more: the file is another one now)
"""


def _show(
    key: Key, rows: Sequence[Row], unit: float, output_unit: float | None, stream: IO[str],
    stripzeros: bool, rich: bool, widths: dict[str, int], source: list[str] | None = None,
) -> None:
    if stripzeros and not any(hits for _, hits, _ in rows):
        return
    file, first, name = key
    lines = source or source_lines.block(file, first, name)
    clean = _cleaner(stream)
    heading = [f"Total time: {_total(rows) * unit:g} s\n"]
    if lines or os.path.exists(file) or is_generated_code(file):
        heading.append(f"File: {clean(file)}\nFunction: {clean(name)} at line {first}\n")
        if not lines:
            heading.append(_CHANGED)
    else:
        heading.append(_NOT_FOUND.format(clean(file)))
    if not lines:
        counted = [line for line, _, _ in rows] or [first]
        lines = [""] * (max(counted) - min(first, *counted) + 1)
    scale = 1.0 if output_unit is None else unit / output_unit
    table = PlainLines(rows, scale, widths)
    header = table.header()
    _write(stream, f"{''.join(heading)}\n{header}\n{'=' * len(header)}\n")
    numbers = [table.numbers(line) for line in range(first, first + len(lines))]
    texts = [clean(line.rstrip("\r\n")) for line in lines]
    if not (rich and _show_rich(numbers, texts, stream)):
        _write(stream, "".join(f"{left}  {right}\n" for left, right in zip(numbers, texts)))
    _write(stream, "\n")


def _summarize(
    totals: list[tuple[Key, float]], stream: IO[str], stripzeros: bool, rich: bool
) -> None:
    clean = _cleaner(stream)
    console = _console(stream) if rich else None
    for (file, first, name), seconds in totals:
        if stripzeros and not seconds:
            continue
        file, name = clean(file), clean(name)
        if console is None:
            _write(stream, f"{seconds:6.2f} seconds - {file}:{first} - {name}\n")
        else:
            from rich.highlighter import ReprHighlighter
            from rich.style import Style
            from rich.text import Text

            line = Text(f"{seconds:6.2f} seconds - ")
            line.append(file, Style(link=file)).append(f":{first} - {name}")
            console.print(ReprHighlighter()(line))


def _cleaner(stream: IO[str]) -> Any:
    """What makes text fit to be written: what came from a file must not control a terminal."""
    is_terminal = getattr(stream, "isatty", None)
    return _tabs_kept if is_terminal is not None and is_terminal() else str


def _tabs_kept(text: str) -> str:
    return shown(text.expandtabs())


def _write(stream: IO[str] | None, text: str) -> None:
    """Where the stream's encoding lacks characters, an escape such as \\x1b for each."""
    if stream is None:  # of a program without a console
        return
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = getattr(stream, "encoding", None) or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


# ---- With the package rich


def _console(stream: IO[str]) -> Any:
    """What prints in colours, or None without rich."""
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream, soft_wrap=True, color_system="standard")


def _show_rich(numbers: list[str], texts: list[str], stream: IO[str]) -> bool:
    """Print the table; False without rich."""
    console = _console(stream)
    if console is None:
        return False
    from rich.highlighter import ReprHighlighter
    from rich.syntax import Syntax
    from rich.table import Table
    from rich.text import Text

    left = Text("\n".join(numbers))
    ReprHighlighter().highlight(left)
    right = Syntax("\n".join(texts), "python", background_color="default")
    table = Table(box=None, padding=0, collapse_padding=True, show_header=False,
                  show_footer=False, show_edge=False, pad_edge=False)
    table.add_row(left, "  ", right)
    console.print(table)
    _write(stream, "\n")
    return True
