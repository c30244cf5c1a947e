"""The two clocks of a case: time passes as it does, or as the case says."""

import time

_MS = 1_000_000


class Real:
    """Profilers read their own clocks; work is a busy wait.

    read: the clock in ns to wait by, where it is not the wall clock.
    """

    def __init__(self, read=time.perf_counter_ns):
        self.read = read

    def work(self, ms):
        """Works for some ms. Returns what it took, in ns."""
        begin = now = self.read()
        while now < begin + ms * _MS:
            for _ in range(100):  # few calls, as some profilers are told of each
                pass
            now = self.read()
        return now - begin

    def agree(self, answer, truth):
        """Whether two times in ns are the same, up to 20 % and what switching threads takes."""
        return abs(answer - truth) <= max(0.2 * truth, 3 * _MS)


class Fake:
    """Time stands still but for work, and 1 ns for each reading: what is nested lasts less.

    move: called with each new time in ns, where that is how a profiler is told of it; then nothing
    else moves it.
    """

    def __init__(self, move=None):
        self.now = 1_000 * _MS
        self.move = move or (lambda now: None)
        self.move(self.now)

    def work(self, ms):
        self.now += ms * _MS
        self.move(self.now)
        return ms * _MS

    def agree(self, answer, truth):
        """Whether two times in ns are the same, up to what readings add and a float rounds."""
        return abs(answer - truth) <= 1_000

    def nanoseconds(self):
        self.now += 1
        return self.now

    def seconds(self):
        return self.nanoseconds() * 1e-9

    def replace(self):
        """Is from now on what the module time has for perf_counter; for profilers in Python."""
        time.perf_counter = self.seconds
        time.perf_counter_ns = self.nanoseconds
        return self
