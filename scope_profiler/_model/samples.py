"""What the sampler has counted in a process: stacks, and how many samples each has.

A sample is a thread at an instant. The samples of an instant may be alike (threads that wait for the same
thing), so how sure a share is depends on the number of instants, and not on that of samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, NamedTuple

#: What a place of a stack is.
THREAD, TASK, REGION, FUNCTION, OTHER = KINDS = ("thread", "task", "region", "function", "other")

#: The quantile of the normal distribution that 95 % of it lie within, on both sides.
_Z95 = 1.959963984540054


class Place(NamedTuple):
    """A place of a stack. Of a function its line, with file and first line of the function; else the name
    says it all."""

    kind: str
    name: str
    file: str = ""
    first_line: int = 0
    line: int = 0

    @property
    def function(self) -> Place:
        """The same without the line."""
        return self._replace(line=0)


class Share(NamedTuple):
    """A share of the samples, with the interval in which the true share of the time lies with a
    probability of 95 %: that of Wilson."""

    samples: int
    share: float
    low: float
    high: float


class Counted(NamedTuple):
    """Of a function or line how many samples ended there, and how many had it anywhere in the stack."""

    place: Place
    own: int
    total: int


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of a process, as a tree.

    hz: how many ticks a second were asked for. clock: "wall" or "cpu".
    ticks: how often was looked; instants: of them those at which there was a thread to sample; fewer where
        the sampler came too late for ticks of wall time, as many as would say as much if none were missing.
    missed: how many ticks or samples were not taken in time; unreadable: of how many no stack was had.
    places: what stacks consist of. parents, at, counts: of each node of the tree the number of its parent,
        which comes before it, -1 for none; that of its place; the samples that end there.
    """

    hz: float
    clock: str
    ticks: int
    instants: int
    missed: int
    unreadable: int
    places: Sequence[Place]
    parents: Sequence[int]
    at: Sequence[int]
    counts: Sequence[int]

    def __post_init__(self) -> None:
        if not len(self.parents) == len(self.at) == len(self.counts):
            raise ValueError("the columns of the samples do not have the same length")
        for number, (parent, place) in enumerate(zip(self.parents, self.at)):
            if not (-1 <= parent < number and 0 <= place < len(self.places)):
                raise ValueError(f"sample node {number} is below {parent}, at place {place}")
        for kind in {place.kind for place in self.places}:
            if kind not in KINDS:
                raise ValueError(f"a place of samples is one of {', '.join(KINDS)}; got {kind!r}")

    @property
    def total(self) -> int:
        """How many samples there are."""
        return sum(self.counts)

    def stacks(self) -> Iterator[tuple[tuple[Place, ...], int]]:
        """Each stack, the outermost place first, with its samples."""
        paths: list[tuple[Place, ...]] = []
        for parent, place, count in zip(self.parents, self.at, self.counts):
            above = paths[parent] if parent >= 0 else ()
            paths.append((*above, self.places[place]))
            if count:
                yield paths[-1], count

    def lines(self) -> list[Counted]:
        """The lines of functions, those with most samples of their own first."""
        return self._counted(lambda place: place)

    def functions(self) -> list[Counted]:
        """The functions, those with most samples of their own first."""
        return self._counted(lambda place: place.function)

    def _counted(self, key: Any) -> list[Counted]:
        below = list(self.counts)
        for number in range(len(below) - 1, -1, -1):
            if self.parents[number] >= 0:
                below[self.parents[number]] += below[number]
        keys = [key(place) if place.kind == FUNCTION else None for place in self.places]
        own: dict[Place, int] = {}
        total: dict[Place, int] = {}
        for number, (place, count) in enumerate(zip(self.at, self.counts)):
            known = keys[place]
            if known is not None:
                own[known] = own.get(known, 0) + count
                if not self._is_inside(number, keys):
                    total[known] = total.get(known, 0) + below[number]
        found = [Counted(known, own[known], total.get(known, 0)) for known in own]
        return sorted(found, key=lambda one: (-one.own, -one.total, one.place))

    def _is_inside(self, number: int, keys: Sequence[Place | None]) -> bool:
        """Whether the node is below another of the same key: of a recursion the outermost counts."""
        wanted, number = keys[self.at[number]], self.parents[number]
        while number >= 0:
            if keys[self.at[number]] == wanted:
                return True
            number = self.parents[number]
        return False

    def share(self, samples: int) -> Share:
        """What so many samples say of the time."""
        whole = self.total
        part = samples / whole if whole else 0.0
        return Share(samples, part, *wilson(part, self.instants))

    def columns(self) -> dict[str, Any]:
        """Everything as plain values, for files."""
        return {"hz": self.hz, "clock": self.clock, "ticks": self.ticks, "instants": self.instants,
                "missed": self.missed, "unreadable": self.unreadable,
                "places": [list(place) for place in self.places], "parents": list(self.parents),
                "at": list(self.at), "counts": list(self.counts)}

    @classmethod
    def of_columns(cls, columns: dict[str, Any]) -> Samples:
        """What `columns` gave. Raises KeyError, TypeError or ValueError when it is not that."""
        parents, at, counts = (
            [int(value) for value in columns[name]] for name in ("parents", "at", "counts"))
        places = [Place(str(kind), str(name), str(file), int(first), int(line))
                  for kind, name, file, first, line in columns["places"]]
        ticks, instants, missed, unreadable = (
            int(columns[name]) for name in ("ticks", "instants", "missed", "unreadable"))
        return cls(float(columns["hz"]), str(columns["clock"]), ticks, instants, missed, unreadable, places,
                   parents, at, counts)


def wilson(share: float, count: float) -> tuple[float, float]:
    """The score interval of E. B. Wilson (Probable inference, the law of succession, and statistical
    inference, Journal of the American Statistical Association 22, 1927) for a share that was seen in so
    many independent looks: between 0 and 1 also where the share is 0 or 1."""
    if count == 0:
        return 0.0, 1.0
    square = _Z95 * _Z95
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = _Z95 / (1 + square / count) * sqrt(
        share * (1 - share) / count + square / (4 * count * count))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def of_stacks(stacks: Iterable[tuple[Sequence[Place], int]], **facts: Any) -> Samples:
    """The Samples of stacks, which may come several times. facts: of Samples."""
    nodes: dict[tuple[int, Place], int] = {}
    counts: list[int] = []
    for stack, count in stacks:
        node = -1
        for place in stack:
            node = nodes.setdefault((node, place), len(nodes))
            if node == len(counts):
                counts.append(0)
        if node >= 0:
            counts[node] += count
    numbers: dict[Place, int] = {}
    at = [numbers.setdefault(place, len(numbers)) for _, place in nodes]
    return Samples(places=list(numbers), parents=[parent for parent, _ in nodes], at=at, counts=counts,
                   **facts)


def together(every: Iterable[Samples]) -> Samples | None:
    """Several as one, as of the parts of a run; None for none."""
    every = list(every)
    if len(every) < 2:
        return every[0] if every else None
    sums = {name: sum(getattr(one, name) for one in every)
            for name in ("ticks", "instants", "missed", "unreadable")}
    return of_stacks((stack for one in every for stack in one.stacks()),
                     hz=every[0].hz, clock=every[0].clock, **sums)
