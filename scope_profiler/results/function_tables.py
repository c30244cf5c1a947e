"""`FunctionTables`: the functions of a run, their callers and callees, as rows and as pstats prints them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO, cast

from .._base import above, arguments
from .._base.arguments import text
from .functions import CallSums, Function, functions_of, place_in, trees_of

if TYPE_CHECKING:
    import pstats

    from .profiling_results import ProfilingResults

#: What `pstats.Stats.print_stats` takes to choose lines by: a number, a share or a regular expression.
_Restriction = int | float | str


class FunctionTables:
    """What `ProfilingResults` has of functions; regions without a place count as such by their name."""

    def functions(
        self,
        ranks: int | Iterable[int] | None = None,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
    ) -> list[dict[str, Any]]:
        """A dict for each function, those with the most own time first.

        Its keys are ``name`` (of the region), ``function`` ("file:line(function)", or the name again
        where the place is unknown), ``file, line`` (None and 0 when unknown), ``calls``, and in
        seconds ``own`` and ``total``. Calls that are open count with what they have come to.
        `ranks, include, exclude` are as for `print_summary`.
        """
        found = self._functions(ranks, include, exclude).values()
        return [
            {"name": one.name, "function": one.label, "file": one.file, "line": one.line,
             **_times(one.sums)}
            for one in sorted(found, key=lambda one: -one.sums.own_ns)
        ]

    def callers(self, function: str, ranks: int | Iterable[int] | None = None) -> list[dict[str, Any]]:
        """Who called a function: a dict for each, those that it took longest for first.

        function: The name of a region, or that of a function as in its ``def``: then it may mean
        several. The keys are ``function`` and ``caller`` (labels as of `functions()`), ``calls``, and
        in seconds ``own`` and ``total``: of the calls that this caller made. A recursive call counts
        for who made the outermost one.

        Raises KeyError when there is no such function.
        """
        found = self._functions(ranks)
        return _sorted(
            {"function": one.label, "caller": found[name].label, **_times(sums)}
            for one in self._named(found, function)
            for name, sums in one.callers.items()
        )

    def callees(self, function: str, ranks: int | Iterable[int] | None = None) -> list[dict[str, Any]]:
        """What a function called: as `callers`, with ``callee`` for ``caller``."""
        found = self._functions(ranks)
        return _sorted(
            {"function": one.label, "callee": found[name].label, **_times(sums)}
            for one in self._named(found, function)
            for name, sums in one.callees.items()
        )

    def sort_stats(self, *keys: str, ranks: int | Iterable[int] | None = None) -> pstats.Stats:
        """The functions as a `pstats.Stats`, sorted by these keys of its, such as "cumulative" and
        "tottime"; without any by own time. The ranks are added up.

        Raises ValueError when no function was called, or for another key.
        """
        return _sorted_by(above.get("stats_of")(self, ranks), *(keys or ("tottime",)))

    def print_stats(
        self, *restrictions: _Restriction, sort: str = "tottime", stream: TextIO | None = None
    ) -> None:
        """Print the functions as pstats does, sorted by one of its keys.

        restrictions: Which lines, one after the other: an int for so many, a float for that share, a
            str for those that the regular expression finds something in.
        stream: Where it goes; None for sys.stdout.
        """
        self._sorted_stats(sort, stream).print_stats(*restrictions)

    def print_callers(
        self, *restrictions: _Restriction, sort: str = "tottime", stream: TextIO | None = None
    ) -> None:
        """Print who called each function, as pstats does; see `print_stats`."""
        self._sorted_stats(sort, stream).print_callers(*restrictions)

    def print_callees(
        self, *restrictions: _Restriction, sort: str = "tottime", stream: TextIO | None = None
    ) -> None:
        """Print what each function called, as pstats does; see `print_stats`."""
        self._sorted_stats(sort, stream).print_callees(*restrictions)

    def _sorted_stats(self, sort: str, stream: TextIO | None) -> pstats.Stats:
        if stream is not None:
            arguments.stream("stream", stream)
        return _sorted_by(above.get("stats_of")(self, None, stream), sort)

    def _functions(self, *chosen: Any) -> dict[str, Function]:
        results = cast("ProfilingResults", self)
        found: dict[str, Function] = {}
        place = place_in(results)
        for tree in trees_of(results, *chosen):
            functions_of(tree.nodes, place, found)
        return found

    def _named(self, found: dict[str, Function], name: str) -> list[Function]:
        if text("function", name) in found:
            return [found[name]]
        named = [one for one in found.values() if name in (one.label, one.function)]
        if not named:
            raise KeyError(f"no function is called {name!r}")
        return named


def _sorted_by(stats: pstats.Stats, *keys: str) -> pstats.Stats:
    for key in keys:
        if not isinstance(key, str) or key not in stats.get_sort_arg_defs():
            words = ", ".join(stats.get_sort_arg_defs())
            raise ValueError(f"what to sort by is one of {words}; got {key!r}")
    return stats.sort_stats(*keys)


def _times(sums: CallSums) -> dict[str, Any]:
    return {"calls": sums.calls, "own": sums.own_ns / 1e9, "total": sums.total_ns / 1e9}


def _sorted(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: -row["total"])
