"""Whether the results of the stress test are what its oracles say. Each check gives a list of str,
one for each difference, and [] when there is none."""

import numpy as np

from scope_profiler import _core
from scope_profiler.io.journal_reader import recover
from collected import Row, name_of, tree
from stress_oracle import OTHER_PATHS, merged

MOST = 5  # differences of a kind that are told


def resolution():
    """What two readings of the clock, rounded to nanoseconds, may be apart from their truth; ns."""
    return 2 + round(_core.clock_info().get("ns_per_tick", 1))


def check_tree(manager, oracles):
    """Counts and errors of every path, of every region, and of all."""
    names = dict(enumerate(manager.registered_regions()))
    names[OTHER_PATHS] = name_of(None)
    found, bad, rows = {}, [], list(tree(manager))
    for path, row in rows:
        if row.calls:
            found[path] = (row.calls, row.errors)
        if row.open_calls:
            bad.append(f"{'>'.join(path)}: {row.open_calls} calls are open")
        bad += _check_times(">".join(path), row)
    # What goes to other paths depends on the order in which threads are merged: what each enters
    # first tells it.
    places = {path: place for place, (path, row) in enumerate(rows)}
    indices = sorted(range(len(oracles)), key=lambda index: places.get((f"thread {index}",), -1))
    expected = {tuple(names[region] for region in path): counts
                for path, counts in merged([oracles[index] for index in indices]).items()}
    for path in sorted(found.keys() | expected.keys()):
        if found.get(path) != expected.get(path):
            bad.append(f"{'>'.join(path)}: (calls, errors) are {found.get(path)}, "
                       f"expected {expected.get(path)}")
    counters = manager._counters()
    expected = {"calls": sum(oracle.begun for oracle in oracles), "open": 0, "unmatched": 0,
                "lost": 0, "dropped": 0, "threads": len(oracles)}
    bad += [f"counter {name} is {counters[name]}, expected {value}"
            for name, value in expected.items() if counters[name] != value]
    return bad


def _check_times(name, row):
    least, mean = resolution(), row.every / row.calls if row.calls else 0
    waiting = row.waiting or 0  # None: not measured
    ordered = (row.minimum, *row.percentiles, row.maximum)
    wrong = (
        (min(row.total, row.every, row.minimum, waiting) < 0, "a time is below 0"),
        (row.exclusive < -least * row.calls, "the exclusive time is below 0"),
        (row.total > row.every + least, "the total is above the sum of all calls"),
        (any(a > b + least for a, b in zip(ordered, ordered[1:])), "percentiles are in no order"),
        (not row.minimum - least <= mean <= row.maximum + least, "the mean is no mean"),
        (waiting > row.total + least * row.calls, "it waited longer than it lasted"),
    )
    return [f"{name}: {text}: {row}" for is_wrong, text in wrong if is_wrong]


class Recovered:
    """What a journal has, as a manager hands it out."""

    def __init__(self, results, names):
        self._results, self._names = results, names

    def registered_regions(self):
        return self._names

    def _events(self, region):
        columns, ends, end = [], [], 0
        for name in self._names:
            if name in self._results:
                found = self._results[name][0]
                starts, durations = found.start_times_ns, found.durations_ns
                threads = starts * 0 if found.thread_ids is None else found.thread_ids
                order = np.lexsort((-starts, starts + durations, threads))
                columns.append([each[order] for each in (starts, durations, threads)])
                end += len(order)
            ends.append(end)
        return ends, *map(np.concatenate, zip(*columns)), None, None, None, None


def check_journal(path, manager, oracles):
    """It has every call, too, while its program goes on. What it takes to be open is not looked at: steps of
    generators have places in the tree at which no call ends."""
    results, missing = recover(path)
    told = [text for text in missing if "were open" not in text]
    found = check_events(Recovered(results, manager.registered_regions()), oracles)
    return [f"the journal: {text}" for text in (*told, *found)]


class Events:
    """All calls as they were recorded: int64 columns, region after region, of each thread by
    thread in the order of ends."""

    def __init__(self, manager):
        ends, *columns, _ = manager._events(None)
        self.bounds = [0, *ends]
        columns = [None if each is None else np.frombuffer(each, np.int64) for each in columns]
        self.starts, self.durations, self.threads, _, self.tasks, self.waits = columns
        if self.threads is None:
            self.threads = np.zeros(len(self.starts), np.int64)

    def of(self, region, thread):
        """Where the calls of that region and thread are: an array of int."""
        begin, end = self.bounds[region : region + 2]
        return begin + np.flatnonzero(self.threads[begin:end] == thread)


def check_events(manager, oracles):
    """Every call by itself: where it begins and ends among all others of its thread."""
    events, names = Events(manager), manager.registered_regions()
    bad = []
    total = sum(oracle.begun for oracle in oracles)
    if len(events.starts) != total:
        bad.append(f"{len(events.starts)} intervals, expected {total}")
    if (events.durations < 0).any():
        bad.append(f"{(events.durations < 0).sum()} calls have a negative duration")
    for index, oracle in enumerate(oracles):
        marker = names.index(f"thread {index}")
        begin, end = events.bounds[marker : marker + 2]
        if end - begin != 1:
            bad.append(f"the region of thread {index} has {end - begin} calls, expected 1")
            continue
        bad += [f"thread {index}: {text}"
                for text in _check_thread(oracle, events, int(events.threads[begin]), names)]
    return bad


def _check_thread(oracle, events, thread, names):
    order = np.frombuffer(oracle.order, np.int32)
    regions = np.frombuffer(oracle.regions, np.uint16)
    parents = np.frombuffer(oracle.parents, np.int32)
    ended = -1 - order[order < 0]
    where = np.full(oracle.begun, -1, np.int64)  # by number: its place among the events
    bad = []
    for region, name in enumerate(names):
        expected = ended[regions[ended] == region]
        found = events.of(region, thread)
        if len(found) != len(expected):
            bad.append(f"{name}: {len(found)} calls, expected {len(expected)}")
        else:
            where[expected] = found
    if bad:
        return bad[:MOST]
    starts, durations = events.starts[where], events.durations[where]
    ends, least = starts + durations, resolution()

    # The very sequence of entries and exits, which is all there is to nesting.
    number = np.where(order < 0, -1 - order, order)
    times = np.where(order < 0, ends[number], starts[number])
    for at in np.flatnonzero(np.diff(times) < -least)[:MOST]:
        bad.append("{} {} comes {} ns before {} {}".format(
            *_what(order[at + 1], regions, names), times[at] - times[at + 1],
            *_what(order[at], regions, names)))

    # Nobody is longer than what it lies in, nor are all in there together.
    place = np.empty(oracle.begun, np.int64)  # by number: the place of its exit in the order
    place[ended] = np.flatnonzero(order < 0)
    child = np.flatnonzero(parents >= 0)
    inside = child[place[parents[child]] > place[child]]
    around = parents[inside]
    if (durations[inside] > durations[around] + least).any():
        bad.append(f"{(durations[inside] > durations[around] + least).sum()} calls are longer than "
                   "the ones around them")
    if ((starts[inside] < starts[around] - least) | (ends[inside] > ends[around] + least)).any():
        bad.append("calls are outside of the ones around them")
    together = np.bincount(around, durations[inside], minlength=oracle.begun)
    several = np.bincount(around, minlength=oracle.begun)
    several[[number for number in oracle.overlapped if number >= 0]] = 0
    too_long = (several > 0) & (together > durations + least * (several + 1))
    if too_long.any():
        bad.append(f"the children of {too_long.sum()} calls are longer than these")
    return bad + _check_tasks(oracle, events, where, durations)


def _what(entry, regions, names):
    number = -1 - entry if entry < 0 else entry
    return "the exit of" if entry < 0 else "the entry of", f"{names[regions[number]]} ({number})"


def _check_tasks(oracle, events, where, durations):
    if events.tasks is None:
        return []
    bad = []
    lanes, tasks = np.frombuffer(oracle.lane_numbers, np.int32), events.tasks[where]
    pairs = np.unique(np.stack([lanes, tasks]), axis=1)
    if len(np.unique(pairs[0])) != pairs.shape[1] or len(np.unique(pairs[1])) != pairs.shape[1]:
        bad.append("calls of one task have several numbers, or those of several have one")
    if (tasks[lanes == 0] != -1).any():
        bad.append("calls outside of tasks have the number of one")
    waits = events.waits[where]
    if ((waits < 0) | (waits > durations + resolution())).any():
        bad.append("a call waited less than nothing, or longer than it lasted")
    return bad


def check_sums(manager, events_too):
    """What is told of each region as a whole is what its calls come to."""
    results = manager.finalize(verbose=False, return_results=True)
    threads = manager._counters()["threads"]
    bad = []
    for row in map(Row._make, manager._collect_regions()):
        region, calls, errors, total, every = (
            row.region, row.calls, row.errors, row.total, row.every)
        minimum, maximum = row.minimum, row.maximum
        bad += _check_times(region.name, row)
        if not calls:
            continue
        told = results[region.name][0]
        about = calls + 1e-4 * every  # of a sum of ticks the nanoseconds are rounded once only
        stats = region.get_stats()
        if (told.num_calls, told.errors) != (calls, errors) != (stats.num_calls, stats.errors):
            bad.append(f"{region.name}: counts differ from place to place")
        if told.has_event_data != events_too:
            bad.append(f"{region.name}: it has intervals: {told.has_event_data}")
        if not events_too or not told.has_event_data:
            continue
        durations = told.durations_ns
        if abs(durations.sum() - every) > about or total > every + about:
            bad.append(f"{region.name}: its calls come to {durations.sum()} ns, not {every}")
        if abs(durations.min() - minimum) > 2 + minimum * 1e-4 \
                or abs(durations.max() - maximum) > 2 + maximum * 1e-4:
            bad.append(f"{region.name}: its calls are not from {minimum} to {maximum} ns")
        if told.thread_ids is not None:
            parts = [told.for_thread(thread) for thread in range(threads)]
            apart = sum(part.total_duration_ns for part in parts) - told.total_duration_ns
            if sum(part.num_calls for part in parts) != calls or abs(apart) > about:
                bad.append(f"{region.name}: its threads are not together the region: {apart} ns")
    rows = results.threads.get(0)
    if rows and sorted(row.name for row in rows) != sorted(f"stress {i}" for i in range(threads)):
        bad.append(f"the threads are {[row.name for row in rows]}")
    return bad
