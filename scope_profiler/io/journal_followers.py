"""The journals of several processes, such as the workers of a server, followed as those of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
import time

from .journal_files import is_in_use
from .journal_follower import JournalFollower, Live, LiveRegion


class JournalFollowers:
    """Follows journals of which some come and go: each `update()` reads what is new in all of them. What
    processes that are over have recorded goes on counting.

    find: Gives the journals that there are. Of those whose processes are over when they are first seen
        none counts, but where all are.
    window: As for `JournalFollower`.

    Raises CorruptProfileError, UnsupportedProfileError or OSError when there is one, and it cannot be read.
    """

    def __init__(self, find: Callable[[], Iterable[Path]], window: float | None = None) -> None:
        self._find, self._window = find, window
        self._over: list[JournalFollower] = []
        self._left: set[Path] = set()  # journals of processes that are over
        self.following: dict[Path, JournalFollower] = {}
        first = [*find()]
        alive = [path for path in first if _goes_on(path)]
        for path in alive or first:
            if len(first) == 1:
                self.following[path] = JournalFollower(path, window)
            else:
                self._follow(path)
        self._left.update({*first} - {*self.following})

    def _follow(self, path: Path) -> None:
        with suppress(OSError, ValueError):  # it is just being made, or is no journal
            self.following[path] = JournalFollower(path, self._window)

    def update(self, now_ns: int | None = None) -> Live:
        """All as they are now."""
        now_ns = time.perf_counter_ns() if now_ns is None else now_ns
        for path in self._find():
            if path not in self.following and path not in self._left:
                self._follow(path)
        lives = []
        for each in list(self._over):
            lives.append(_ended(each.update(now_ns)))
            if self._window is not None and not lives[-1].calls:
                self._over.remove(each)
        for path, follower in list(self.following.items()):
            goes_on, is_removed = _goes_on(path), follower.is_removed  # before its last calls are read
            live = follower.update(now_ns)
            if goes_on and not is_removed:
                lives.append(live)
                continue
            lives.append(_ended(live))
            follower.close()
            self._over.append(self.following.pop(path))
            if not is_removed:
                self._left.add(path)
        return lives[0] if len(lives) == 1 else _together(lives)

    def facts(self) -> list[dict[str, object]]:
        """What the journals say of their runs."""
        return [each.journal.facts for each in (*self.following.values(), *self._over)]

    def close(self) -> None:
        """Close the files."""
        for follower in self.following.values():
            follower.close()


def _goes_on(path: Path) -> bool:
    try:
        return is_in_use(path)
    except OSError:
        return False


def _ended(live: Live) -> Live:
    """That of a process that is over."""
    return live._replace(open=[], regions=[region._replace(open_for=None) for region in live.regions])


def _together(lives: list[Live]) -> Live:
    """Several processes as one."""
    by_name: dict[str, list[LiveRegion]] = {}
    for live in lives:
        for region in live.regions:
            by_name.setdefault(region.name, []).append(region)
    regions = sorted(map(_one, by_name.values()), key=lambda region: (-region.own, region.name))
    return Live(max((live.elapsed for live in lives), default=0.0), sum(live.threads for live in lives),
                sum(live.calls for live in lives), regions,
                sorted((path for live in lives for path in live.open), key=lambda path: -path.seconds))


def _one(regions: list[LiveRegion]) -> LiveRegion:
    """A region of several processes."""
    if len(regions) == 1:
        return regions[0]
    longest = max(len(region.rates) for region in regions)
    rates = [[0.0] * (longest - len(region.rates)) + region.rates for region in regions]
    total = sum(region.total for region in regions)
    work = {name: sum(region.work_rates.get(name, 0.0) * region.total for region in regions) / total
            for name in {name: None for region in regions for name in region.work_rates} if total}
    return LiveRegion(
        regions[0].name, sum(region.calls for region in regions), sum(region.own for region in regions),
        total, max(region.longest for region in regions), [sum(each) for each in zip(*rates)],
        max((region.open_for for region in regions if region.open_for is not None), default=None), work)
