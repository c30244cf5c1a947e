"""The rows of the table: what is compared with what, and the target."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Least:
    """The peer needs at least so many times what we need."""

    times: float

    def __str__(self):
        return f">= {self.times:g}x"

    def met(self, ours, peer):
        return peer >= self.times * ours


@dataclass(frozen=True)
class Most:
    """We need at most so much."""

    value: float
    unit: str = ""

    def __str__(self):
        return f"<= {self.value:g}{self.unit}"

    def met(self, ours, peer):
        return ours <= self.value


@dataclass(frozen=True)
class Row:
    """A value is case - base, in ns; with `over`, that divided by over - over_base.

    needs_no_gil: it says nothing of an interpreter with the GIL.

    peer: the package compared with, or None. target: of every version, or {minor version: ...}
    where a version that is not there has the newest one's.
    """

    label: str
    peer: "str | None"
    state: str
    case: str
    base: "str | None"
    target: "Least | Most | dict | None"
    over: "str | None" = None
    over_base: "str | None" = None
    needs_no_gil: bool = False

    def cases(self):
        return [c for c in (self.case, self.base, self.over, self.over_base) if c is not None]

    def value(self, ns):
        """The row's value, from a function that tells the ns of a case."""
        value = ns(self.case) - (ns(self.base) if self.base else 0)
        if self.over:
            value /= ns(self.over) - (ns(self.over_base) if self.over_base else 0)
        return value

    def target_of(self, minor):
        if not isinstance(self.target, dict):
            return self.target
        return self.target.get(minor) or self.target[max(self.target)]


_SCOPE, _LINE = "scope_profiler", "line_profiler"
_11, _12, _13 = (3, 11), (3, 12), (3, 13)


def _region_rows(label, state, with_, reused, decorated):
    return [
        Row(f'with profile_region("x"), {label}', _SCOPE, state, "with", "loop", with_),
        Row(f"reused region, {label}", _SCOPE, state, "reused", "loop", reused),
        Row(f"decorated call, {label}", _SCOPE, state, "decorated", "call", decorated),
    ]


def _option_rows(label, state):
    return [
        Row(f"tagged region over untagged, {label}", None, state, "with, tagged", "loop",
            Most(2, "x"), "with", "loop"),
        Row(f"tags in a list over untagged, {label}", None, state, "with, tags listed", "loop",
            Most(2, "x"), "with", "loop"),
    ]


def _at_once_rows(label, case):
    """Each of two threads does what one does alone."""
    return [
        Row(f"two at once, {label}", None, "threads", f"{case}, at once", "loop, at once", None,
            needs_no_gil=True),
        Row("  at once over alone", None, "threads", f"{case}, at once", "loop, at once",
            Most(1.3, "x"), f"{case}, alone", "loop, alone", needs_no_gil=True),
    ]


ROWS = [
    *_region_rows("on", "on", Least(7), Least(9), Least(15)),
    *_region_rows("never set up", "never", Least(4), Least(4),
                  {_11: Most(35, " ns"), _12: Most(2, " ns")}),  # none, as well as can be told
    *_region_rows("after a run", "after", Least(4), Least(4),
                  {_11: Most(35, " ns"), _12: Most(12, " ns")}),
    *_region_rows("aggregation", "aggregate", Least(8), Least(8), Least(8)),
    *_option_rows("on", "on"),
    *_option_rows("never set up", "never"),
    Row("with metadata(step=1), on", None, "metadata", "metadata", "loop", None),
    Row("with metadata(step=1), never set up", None, "never", "metadata", "loop", None),
    Row("two threads, with", _SCOPE, "threads", "with, two threads", "loop, two threads",
        Least(8)),
    Row("  over one thread", _SCOPE, "threads", "with, two threads", "loop, two threads",
        Most(1.2, "x"), "with", "loop"),
    *_at_once_rows("with", "with"),
    *_at_once_rows("reused region", "reused"),
    *_at_once_rows("regions of their own", "own"),
    *_at_once_rows("decorated call", "decorated"),
    Row("with, in a task", _SCOPE, "tasks", "with, in a task", "loop, in a task", Least(8)),
    Row("with around await", _SCOPE, "tasks", "with, await", "await", Least(8)),
    Row("line event", _LINE, "lines", "lines from 1", "plain lines from 1",
        {_11: Least(3.5), _12: Least(6), _13: Least(9)}),
    Row("line event, line number > 256", _LINE, "lines", "lines from 1000",
        "plain lines from 1000", {_11: Least(3.5), _12: Least(6), _13: Least(9)}),
    Row("decorated call, line mode", _LINE, "lines", "decorated", "call",
        {_11: Least(15), _12: Least(60)}),
    Row("unregistered lines, inside", _LINE, "lines", "lines, inside", None,
        {_11: Most(1.05, "x"), _12: Most(1.02, "x")}, "lines, plain"),
    Row("unregistered lines, elsewhere", _LINE, "lines", "lines, elsewhere", None,
        {_11: Most(1.05, "x"), _12: Most(1.02, "x")}, "lines, plain"),
    Row("unregistered call, inside", _LINE, "lines", "calls, inside", "passes, inside",
        {_11: Most(1.6, "x"), _12: Most(1.02, "x")}, "calls, plain", "passes, plain"),
    Row("unregistered call, elsewhere", _LINE, "lines", "calls, elsewhere", "passes, elsewhere",
        {_11: Most(1.6, "x"), _12: Most(1.02, "x")}, "calls, plain", "passes, plain"),
    Row("line event, LineProfiler", _LINE, "registered", "lines", "plain lines",
        {_11: Least(3.5), _12: Least(6), _13: Least(9)}),
    Row("registered call, LineProfiler", _LINE, "registered", "registered", "call", None),
    Row("  over a wrapped one", _LINE, "registered", "registered", "call", Most(1, "x"), "wrapped", "call"),
    Row("wrapped call, LineProfiler", _LINE, "registered", "wrapped", "call",
        {_11: Least(15), _12: Least(60)}),
    Row("memory of a reused region, more", None, "memory", "reused", "reused, without",
        Most(60, " ns")),
    Row("memory of a decorated call, more", None, "memory", "decorated", "decorated, without",
        Most(60, " ns")),
    Row("memory of a line", "memory_profiler", "line memory", "lines", "plain lines", Least(30)),
    Row("traced call", "cProfile", "calls", "calls, traced", "calls, plain",
        {_11: Least(1), _12: Least(2)}),
    Row("step of a traced generator", "cProfile", "calls", "steps, traced", "steps, plain",
        {_11: Least(1), _12: Least(1)}),
    Row("traced call, in a recursive one", _SCOPE, "calls", "calls, recursive", "calls, plain",
        Least(20)),
    Row("untraced call, outside a recursive one", _SCOPE, "calls", "calls, elsewhere", "calls, plain", None),
    Row("untraced call that is left out", None, "calls", "calls, left out", "passes, plain",
        {_11: Most(2.5, "x"), _12: Most(1.02, "x")}, "calls, plain", "passes, plain"),
    Row("100 000 names over 1", None, "sizes", "with, 100000 names", "loop, 100000 names",
        Most(1.3, "x"), "with, 1 names", "loop, 1 names"),
    Row("100 000 names over 100", None, "sizes", "with, 100000 names", "loop, 100000 names",
        Most(1.3, "x"), "with, 100 names", "loop, 100 names"),
    Row("with, depth 5 000 over 50", _SCOPE, "sizes", "with, depth 5000", "call, depth 5000",
        Most(1.3, "x"), "with, depth 50", "call, depth 50"),
    Row("decorated, depth 5 000 over 50", _SCOPE, "sizes", "decorated, depth 5000",
        "call, depth 5000", Most(1.3, "x"), "decorated, depth 50", "call, depth 50"),
]
