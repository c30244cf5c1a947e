"""Runs journal_program.py, ends it, and compares what its journal has with what it did."""

import glob
import os
import random
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from scope_profiler.io.journal_reader import recover

from journal_program import region_of, step_of

PROGRAM = Path(__file__).with_name("journal_program.py")


class Killed:
    """A program that has ended, and how many calls each of its threads had made."""

    def __init__(self, folder, threads=1, calls=1 << 60, end="none", at=-1, delay=None, environment=None):
        self.output = Path(folder, "out.h5")
        self.threads = threads
        self._progress = Path(folder, "progress")
        self._progress.write_bytes(bytes(8 * threads))
        command = [sys.executable, "-X", "faulthandler=0", PROGRAM, self.output, self._progress,
                   str(threads), str(calls), end, str(at)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL,
                              env={**os.environ, **(environment or {})}) as process:
            if delay is not None:
                while not any(self.done) and process.poll() is None:
                    time.sleep(0.001)
                time.sleep(delay)
                process.kill()
            self.status = process.wait()

    @property
    def done(self):
        """Of each thread the calls that were over for sure."""
        return struct.unpack(f"{self.threads}Q", self._progress.read_bytes())

    @property
    def journals(self):
        return [Path(path) for path in sorted(glob.glob(f"{self.output}.*journal"))]


def sequences(results):
    """Of each thread the (name, start, duration, metadata) of its calls, in their order."""
    found = {}
    for region in results:
        one = region[0]
        threads = one.thread_ids if one.thread_ids is not None else np.zeros(one.num_events, int)
        metadata = one.event_metadata
        for row, (start, duration, thread) in enumerate(
            zip(one.start_times_ns.tolist(), one.durations_ns.tolist(), threads.tolist())
        ):
            found.setdefault(thread, []).append(
                (start, duration, region.name, metadata[row] if metadata is not None else {}))
    return {thread: sorted(calls) for thread, calls in found.items()}


def check(killed):
    """What is recovered is the begin of what each thread did, without a call that was over."""
    (journal,) = killed.journals
    results, missing = recover(journal)
    calls = sequences(results)
    numbers = {}  # the threads of the program by how their calls begin
    for thread, made in calls.items():
        fits = [number for number in range(killed.threads) if number not in numbers.values()
                and all(name == region_of(number, place)
                        for place, (_, _, name, _) in enumerate(made[:20]))]
        assert fits, f"thread {thread} began as none did: {[name for _, _, name, _ in made[:20]]}"
        numbers[thread] = fits[0]
    for thread, made in calls.items():
        number = numbers[thread]
        assert [call[2] for call in made] == [region_of(number, place) for place in range(len(made))]
        assert all(before[0] + before[1] <= after[0] + 2 for before, after in zip(made, made[1:]))
        if number == 0:
            assert all(call[3] == {"step": step_of(place)} for place, call in enumerate(made))
    for number, done in enumerate(killed.done):
        recovered = sum(len(made) for thread, made in calls.items() if numbers[thread] == number)
        assert done <= recovered <= done + 1, (number, done, recovered, missing)
    return sum(map(len, calls.values())), missing


def random_kill(folder, seed):
    """One run killed at random; returns (how, calls recovered, sentences about what is missing)."""
    chance = random.Random(seed)
    threads = chance.choice((1, 1, 2, 4))
    how = chance.choice(("SIGKILL", "kill", "exit", "segfault"))
    if how == "SIGKILL":
        killed = Killed(folder, threads, delay=chance.random() ** 3 * 0.3)
    else:
        killed = Killed(folder, threads, end=how, at=int(10 ** (chance.random() * 4.5)))
    return how, *check(killed)
