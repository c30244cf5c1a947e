"""Work by quantity, {"flops": 2e9, "bytes": 8e8}; None where none was added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Work = Mapping[str, float]


def together(each: Iterable[Work | None]) -> dict[str, float] | None:
    """All of it added up."""
    found: dict[str, float] = {}
    for work in each:
        for quantity, amount in (work or {}).items():
            found[quantity] = found.get(quantity, 0.0) + amount
    return found or None


def between(later: Work | None, earlier: Work | None) -> dict[str, float] | None:
    """What came to it: of what was added by then, the part that was not there before."""
    came = {quantity: amount - (earlier or {}).get(quantity, 0.0)
            for quantity, amount in (later or {}).items()}
    return {quantity: amount for quantity, amount in came.items() if amount} or None


def rates(work: Work | None, ns: int | None) -> dict[str, float] | None:
    """The amount for each second of so many nanoseconds; None also where there were none."""
    return {quantity: amount * 1e9 / ns for quantity, amount in work.items()} if work and ns else None
