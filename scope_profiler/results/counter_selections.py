"""`Counters`: what results have of the counters of the program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from .._base.arguments import rank_set
from .._model.counter_values import CounterValues

if TYPE_CHECKING:
    from .._model.recorded import Recorded


class Counters:
    """The part of `ProfilingResults` that is about them."""

    if TYPE_CHECKING:

        @property
        def recorded(self) -> Mapping[int, Recorded]: ...

    def counters(self, ranks: int | Iterable[int] | None = None) -> dict[str, dict[int, CounterValues]]:
        """The values that `counter()` was given, by name and rank: each has `times_ns`, int64 on the
        axis of ``perf_counter_ns()``, `values`, float64, and `thread_ids`, int64; in the order of time.

        ranks: Those to look at; None for all.
        """
        wanted = rank_set(ranks)
        found: dict[str, dict[int, CounterValues]] = {}
        for rank, known in self.recorded.items():
            for name, values in known.counters.items():
                if wanted is None or rank in wanted:
                    found.setdefault(name, {})[rank] = values
        return found
