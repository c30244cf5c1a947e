"""How much memory the process and those below it use over time, with the regions that were open: a picture,
or a table."""

from __future__ import annotations

from collections.abc import Iterable
import os
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from .._base.needs import explained, is_there
from .usage import MIB, Sampler, bytes_of, children_bytes

if TYPE_CHECKING:
    from ..results import ProfilingResults

#: The ends of names of tables, and of pictures.
TABLES, PICTURES = (".csv", ".txt"), (".png", ".svg", ".pdf", ".jpg", ".webp")
_MOST_REGIONS, _MOST_CALLS = 12, 2000


class Sample(NamedTuple):
    """At a time on the axis of perf_counter_ns(): bytes of the process, and of all below it."""

    at_ns: int
    own: int
    children: int


class MemorySamples:
    """Samples of this process, from start() to stop().

    interval: seconds between two of them.
    """

    def __init__(self, interval: float = 0.1) -> None:
        self._process = os.getpid()
        self._sampler = Sampler(self._read, interval)
        self.samples: list[Sample] = []

    def _read(self) -> Sample:
        children = sum(size for _, size in children_bytes(self._process))
        return Sample(perf_counter_ns(), bytes_of(self._process), children)

    def start(self) -> None:
        """Take the first one, and go on in a thread."""
        self._sampler.start()

    def stop(self) -> None:
        """Take the last one."""
        self._sampler.stop()
        self.samples = [sample for sample, _ in self._sampler.readings]

    def write(self, path: str, results: ProfilingResults | None = None) -> None:
        """Write a table or a picture, as the end of the name says.

        results: whose regions are marked in the picture. Raises what check_path() does, and OSError.
        """
        check_path(path)
        if path.endswith(TABLES):
            _write_table(self.samples, path)
        else:
            _draw(self.samples, path, results)


def check_path(path: str) -> None:
    """Raises ValueError when the name is not one of a picture or table, ModuleNotFoundError when
    matplotlib is not installed, which pictures need. It is not imported, as that takes memory."""
    if not path.endswith((*TABLES, *PICTURES)):
        raise ValueError(f"{path!r} is no name for a table or picture of memory, which end in "
                         f"{', '.join((*TABLES, *PICTURES))}")
    if path.endswith(PICTURES) and not is_there("matplotlib"):
        with explained():
            raise ModuleNotFoundError("matplotlib is not installed", name="matplotlib")


def _write_table(samples: Iterable[Sample], path: str) -> None:
    rows = list(samples)
    with open(path, "w", encoding="utf-8") as file:
        file.write("seconds,process_mib,children_mib\n")
        for at, own, children in rows:
            file.write(f"{(at - rows[0].at_ns) / 1e9:.4f},{own / MIB:.6f},{children / MIB:.6f}\n")


def _draw(samples: list[Sample], path: str, results: ProfilingResults | None) -> None:
    with explained():
        from matplotlib.figure import Figure

    begin = samples[0].at_ns
    bars = [] if results is None else _bars(results, begin)
    figure = Figure(figsize=(10, 4 + 0.25 * len(bars)), layout="constrained")
    heights = (4, 0.25 * len(bars)) if bars else (1,)
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    times = [(sample.at_ns - begin) / 1e9 for sample in samples]
    axes[0].plot(times, [sample.own / MIB for sample in samples], label="process")
    if any(sample.children for sample in samples):
        axes[0].plot(times, [(sample.own + sample.children) / MIB for sample in samples],
                     label="with its children")
    highest = max(range(len(samples)), key=lambda place: samples[place].own)
    axes[0].plot(times[highest], samples[highest].own / MIB, "o",
                 label=f"most: {samples[highest].own / MIB:.1f} MiB")
    axes[0].set_ylabel("memory in MiB")
    axes[0].set_ylim(bottom=0)
    axes[0].legend(loc="best")
    axes[0].grid(alpha=0.3)
    if bars:
        for place, (_, calls) in enumerate(bars):
            axes[1].broken_barh(calls, (place - 0.4, 0.8))
        axes[1].set_yticks(range(len(bars)), [name for name, _ in bars])
        axes[1].invert_yaxis()
    axes[-1].set_xlabel("seconds")
    figure.savefig(path)


def _bars(results: ProfilingResults, begin: int) -> list[tuple[str, list[tuple[float, float]]]]:
    """The regions that took longest, in the order in which they began, with (begin, duration) of calls in
    seconds; of many calls those that lie together as one."""
    found: list[tuple[Any, str, list[tuple[float, float]]]] = []
    for name in results.region_names:
        for region in results[name].regions.values():
            starts = region.start_times_ns
            if len(starts):
                calls = _together((starts - begin) / 1e9, region.durations_ns / 1e9)
                found.append((region.total_duration, name, calls))
    longest = sorted(found, key=lambda each: each[0], reverse=True)[:_MOST_REGIONS]
    return [(name, calls) for _, name, calls in sorted(longest, key=lambda each: each[2][0])]


def _together(starts: Any, durations: Any) -> list[tuple[float, float]]:
    calls = sorted(zip(starts.tolist(), durations.tolist()))
    least = (calls[-1][0] + calls[-1][1] - calls[0][0]) / _MOST_CALLS
    joined: list[tuple[float, float]] = []
    for start, duration in calls:
        if joined and start - sum(joined[-1]) < least:
            before = joined[-1][0]
            joined[-1] = before, max(sum(joined[-1]), start + duration) - before
        else:
            joined.append((start, duration))
    return joined
