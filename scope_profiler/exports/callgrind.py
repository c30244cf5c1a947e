"""The format of Callgrind, which KCachegrind and QCachegrind show."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .._version import __version__
from ..io.json_export import write_each
from ..io.safe_file import written
from ..results import ProfilingResults
from ..results.functions import Function, functions_of, place_in, trees_of
from .timelines import process_name


def export_callgrind(
    profiling_data: ProfilingResults | Iterable[ProfilingResults],
    filepath: str | os.PathLike[str],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    verbose: bool = True,
) -> list[Path]:
    """Write the functions and regions of each run for KCachegrind, with who called whom; return the
    paths of the files.

    Costs are nanoseconds. Of several ranks, each is an ELF object, by which KCachegrind groups. The
    arguments are those of `export_prof`, which raises the same.
    """

    def write(run: ProfilingResults, path: Path) -> list[Path]:
        return write_callgrind(run, path, ranks, include, exclude)

    return write_each(profiling_data, filepath, ".callgrind", write, verbose)


def write_callgrind(
    results: ProfilingResults,
    path: Path,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    *,
    place: Callable[[str, str], None] = os.replace,
) -> list[Path]:
    """Write them to one file; see `export_callgrind`. place: see `replacing`."""
    where = place_in(results)
    trees = [
        (process_name(results, rank), functions_of(nodes, where))
        for rank, nodes in trees_of(results, ranks, include, exclude)
    ]
    total = sum(one.sums.own_ns for _, functions in trees for one in functions.values())
    with written(path, place) as file:
        for line in _lines(trees, results.display_label, total):
            file.write(f"{line}\n".encode("utf-8", "backslashreplace"))
    return [path]


def _lines(
    trees: list[tuple[str, dict[str, Function]]], label: str, total: int
) -> Iterator[str]:
    yield "# callgrind format"
    yield "version: 1"
    yield f"creator: scope-profiler {__version__}"
    yield f"cmd: {_text(label)}"
    yield "positions: line"
    yield "event: ns : Nanoseconds"
    yield "events: ns"
    yield f"summary: {total}"
    names = _Names()
    for process, functions in trees:
        yield ""
        if len(trees) > 1:
            yield f"ob={names.of('ob', process)}"
        for function in functions.values():
            yield ""
            yield f"fl={names.of('fl', function.file or '???')}"
            yield f"fn={names.of('fn', function.name)}"
            yield f"{function.line} {function.sums.own_ns}"
            for callee, sums in function.callees.items():
                called = functions[callee]
                # Of the call: what is not said is as for the function itself.
                yield f"cfi={names.of('fl', called.file or '???')}"
                yield f"cfn={names.of('fn', called.name)}"
                yield f"calls={sums.calls} {called.line}"
                yield f"{function.line} {sums.total_ns}"
    yield ""
    yield f"totals: {total}"


class _Names:
    """Names by number: each is written in full once."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {"ob": {}, "fl": {}, "fn": {}}

    def of(self, kind: str, name: str) -> str:
        """The name as the format has it; kind: "ob" (object), "fl" (file) or "fn" (function)."""
        name, numbers = _text(name), self._numbers[kind]
        number = numbers.get(name)
        if number is not None:
            return f"({number})"
        number = numbers[name] = len(numbers) + 1
        return f"({number}) {name}"


def _text(name: str) -> str:
    """A name on one line."""
    return " ".join(name.split()) or "?"
