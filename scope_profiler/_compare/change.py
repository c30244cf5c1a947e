"""By how much a number differs between two sides, each of one run or several, and how sure that is.

What a side has are *units*: numbers of blocks of calls that follow one another in time, run by run. Other
work on the machine slows down whole stretches of a run, and sometimes whole runs. So what is drawn again
for the interval are runs, and in these blocks, never single calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

#: What is drawn again, how often; and how many per cent of the draws lie in the interval.
DRAWS = 1000
CONFIDENCE = 99.0
#: Blocks of a run, and calls of a block, at the least.
MOST_BLOCKS, LEAST_CALLS = 16, 8
#: Of one run on each side: so many blocks it takes, and of so much a change nothing can be said, as it is
#: not known how runs differ.
LEAST_BLOCKS, ONE_RUN = 4, 0.05
#: Without blocks so many runs it takes.
LEAST_RUNS = 3


class Change(NamedTuple):
    """What has become of a number.

    before, after: its estimates; None where there is none.
    change: after / before - 1. low, high: the interval that has it with CONFIDENCE. All three are None
        where that cannot be told.
    noise: how much parts of one side differ from each other, as a change.
    effect: how often a block or run of after has more than one of before (0.5: as often as not).
    """

    before: float | None
    after: float | None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    noise: float | None = None
    effect: float | None = None

    def verdict(self, limit: float) -> str:
        """ "slower", "faster" or "same", beyond a change of `limit`; "unknown"."""
        if self.change is None or self.low is None or self.high is None or self.noise is None:
            return "unknown"
        if self.low > limit and self.change > self.noise:
            return "slower"
        faster = 1 / (1 + limit) - 1
        return "faster" if self.high < faster and self.change < 1 / (1 + self.noise) - 1 else "same"


Location = Callable[[np.ndarray], np.ndarray]  # [..., units] to [...]


def blocks_of(durations: np.ndarray) -> list[np.ndarray]:
    """The durations of calls in blocks that follow one another."""
    blocks = min(MOST_BLOCKS, max(1, len(durations) // LEAST_CALLS))
    return np.array_split(durations, blocks)


def change_of(
    before: Sequence[np.ndarray], after: Sequence[np.ndarray], location: Location
) -> Change:
    """The Change of location(units). before, after: float64 [units] of each run, at least one unit."""
    sides = before, after
    estimates = [float(location(np.concatenate(side))) for side in sides]
    runs, units = min(map(len, sides)), min(len(run) for side in sides for run in side)
    first, second = estimates
    if first <= 0 or second <= 0:
        return Change(first, second)
    change = second / first - 1
    if units < LEAST_BLOCKS and runs < LEAST_RUNS:
        return Change(first, second, change)
    random = np.random.default_rng(0)  # the same answer for the same files
    drawn = np.log([location(_drawn(side, random)) for side in sides])
    difference, middle = drawn[1] - drawn[0], np.log1p(change)
    tail = (100 - CONFIDENCE) / 2
    # Few runs differ less from each other than many would.
    wider = (runs / (runs - 1)) ** 0.5 if runs > 1 else 1.0
    low, high = middle + wider * (np.percentile(difference, (tail, 100 - tail)) - middle)
    noise = max(_noise(side, location) for side in sides)
    if runs == 1:
        noise = max(noise, ONE_RUN)
    joined = [np.sort(np.concatenate(side)) for side in sides]
    places = np.searchsorted(joined[0], joined[1], "left") + np.searchsorted(joined[0], joined[1], "right")
    return Change(first, second, change, float(np.expm1(low)), float(np.expm1(high)), noise,
                  float(places.mean() / 2 / len(joined[0])))


def _drawn(runs: Sequence[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """float64 [DRAWS, units]: the units of runs drawn again, and in each run of blocks drawn again."""
    length = min(map(len, runs))
    table = np.array([run[np.linspace(0, len(run) - 1, length).astype(int)] for run in runs])
    which = random.integers(0, len(runs), (DRAWS, len(runs), 1))
    blocks = random.integers(0, length, (DRAWS, len(runs), length))
    return table[which, blocks].reshape(DRAWS, -1)


def _noise(runs: Sequence[np.ndarray], location: Location) -> float:
    """How much the parts of a side differ: every other run, or the quarters of the one. Of these the two
    that took least: where others had the machine for a while, that is not how runs differ."""
    if len(runs) > 1:
        parts = [np.concatenate(runs[::2]), np.concatenate(runs[1::2])]
    else:
        parts = np.array_split(runs[0], min(4, len(runs[0])))
    least, *others = sorted(float(location(part)) for part in parts)
    return others[0] / least - 1 if others and least > 0 else 0.0
