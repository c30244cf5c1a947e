"""What of results the page shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .._base.arguments import rank_set


class Choice(NamedTuple):
    """The arguments of `get_regions` and `print_summary` of that name."""

    include: Any = None
    exclude: Any = None
    ranks: set[int] | None = None
    sort: str = "total"

    @classmethod
    def of(cls, include: Any, exclude: Any, ranks: int | Iterable[int] | None, sort: str) -> Choice:
        """With the ranks as a set. Raises TypeError or ValueError where they are none."""
        return cls(include, exclude, rank_set(ranks), sort)
