"""Results that are taken while other threads record have to fit together, and to grow."""

import random
import threading
import time

from stress_checks import resolution


class Watcher(threading.Thread):
    """Takes every kind of result again and again until `stop()`; what is wrong is in `bad`."""

    def __init__(self, manager, seed, events, take_results):
        super().__init__(name="watcher", daemon=True)
        self.bad = []
        self._manager = manager
        self.looks = 0
        self._events = events
        self._take_results = take_results
        self._dice = random.Random(seed)
        self._over = threading.Event()
        self._counters = manager._counters()
        self._rows = {}  # name: RegionStatistics, as they were last

    def stop(self):
        self._over.set()
        self.join()

    def run(self):
        pause = 0.0
        try:
            while not self._over.wait(pause) and len(self.bad) < 20:
                self.looks += 1
                begin = time.monotonic()
                self._look_at_counters()
                self._look_at_a_region()
                if self.looks % 5 == 0:
                    self._look_at_the_tree()
                if self.looks % 20 == 3 and self._take_results:
                    self._look_at_results()
                pause = 4 * (time.monotonic() - begin)  # most of the time is the workers'
        except Exception as error:  # told by the main thread
            import traceback

            traceback.print_exc()
            self._tell(f"{type(error).__name__}: {error}")

    def _tell(self, text):
        self.bad.append("meanwhile: " + text)

    def _look_at_counters(self):
        now = self._manager._counters()
        for name in ("calls", "threads", "log_bytes"):
            if now[name] < self._counters[name]:
                self._tell(f"counter {name} went from {self._counters[name]} to {now[name]}")
        for name in ("unmatched", "lost", "dropped"):
            if now[name]:
                self._tell(f"counter {name} is {now[name]}")
        self._counters = now

    def _look_at_a_region(self):
        region = self._dice.choice(list(self._manager.get_all_regions().values()))
        before = region.num_calls
        stats = region.get_stats()
        self._check(stats)
        if self._events and self.looks % 8 == 0:
            durations = region.get_durations_numpy()
            if not stats.num_calls <= len(durations) <= region.num_calls:
                self._tell(f"{region.name}: {len(durations)} intervals of {stats.num_calls} calls "
                           "before and {region.num_calls} after")
            if (durations < 0).any():
                self._tell(f"{region.name}: negative durations")
        if not before <= stats.num_calls <= region.num_calls:
            self._tell(f"{region.name}: calls went from {before} to {stats.num_calls} to "
                       f"{region.num_calls}")

    def _check(self, now):
        least = resolution()
        ordered = (now.minimum_ns, now.p50_ns, now.p90_ns, now.p95_ns, now.p99_ns, now.p999_ns,
                   now.maximum_ns)
        slack = least + now.total_ns * 1e-3  # a later calibration of the clock
        before = self._rows.get(now.name, now)
        self._rows[now.name] = now
        wrong = (
            (any(a > b + least for a, b in zip(ordered, ordered[1:])), "percentiles in no order"),
            (not now.minimum_ns - least <= now.average_ns <= now.maximum_ns + least, "no mean"),
            (min(ordered) < 0 or now.total_ns < 0, "a time is below 0"),
            (now.num_calls < before.num_calls, "fewer calls than before"),
            (now.errors < before.errors, "fewer errors than before"),
            (now.errors > now.num_calls, "more errors than calls"),
            (now.total_ns < before.total_ns - slack, "a smaller total than before"),
            (now.exclusive_ns < before.exclusive_ns - slack, "less exclusive time than before"),
            (before.num_calls and now.minimum_ns > before.minimum_ns * 1.001 + least,
             "a greater minimum than before"),
            (now.maximum_ns < before.maximum_ns * 0.999 - least, "a smaller maximum than before"),
        )
        for is_wrong, text in wrong:
            if is_wrong:
                self._tell(f"{now.name}: {text}: {before}, {now}")

    def _look_at_the_tree(self):
        rows = self._manager._collect(None)
        if any(parent >= row for row, (parent, *_) in enumerate(rows)):
            self._tell("a child comes before its parent")
        calls = sum(row[2] for row in rows)
        if calls < self._counters["calls"]:
            self._tell(f"the tree has {calls} calls, there were {self._counters['calls']}")

    def _look_at_results(self):
        results = self._manager.finalize(verbose=False, return_results=True)
        if self._manager.last_results() is None:
            self._tell("there are no last results")
        for name in results.region_names:
            region = results[name][0]
            if not self._events:
                continue
            intervals, calls = len(region.durations_ns), region.num_calls
            if intervals != calls:
                self._tell(f"results: {name}: {intervals} intervals, {calls} calls")
            if (region.durations_ns < 0).any():
                self._tell(f"results: {name}: negative durations")
            if (region.start_times_ns[1:] < region.start_times_ns[:-1]).any():
                self._tell(f"results: {name}: starts are not sorted")
