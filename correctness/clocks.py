"""The two clocks of a case: time passes as it does, or as the case says."""

import time

_MS = 1_000_000
_real = time.perf_counter_ns


class Real:
    """Profilers read their own clocks; work is a busy wait."""

    def work(self, ms):
        """Works for some ms. Returns what it took, in ns."""
        begin = now = _real()
        while now < begin + ms * _MS:
            for _ in range(100):  # few calls, as some profilers are told of each
                pass
            now = _real()
        return now - begin

    def agree(self, answer, truth):
        """Whether two times in ns are the same, up to 20 % and what switching threads takes."""
        return abs(answer - truth) <= max(0.2 * truth, 3 * _MS)


class Fake:
    """Time stands still but for work.

    move: called with each new time in ns, where that is how a profiler is told of it.
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
        """Whether two times in ns are the same, up to the rounding of seconds in a float."""
        return abs(answer - truth) <= 1 + 1e-9 * truth

    def seconds(self):
        return self.now * 1e-9

    def replace(self):
        """Is from now on what the module time has for perf_counter; for profilers in Python."""
        time.perf_counter = self.seconds
        time.perf_counter_ns = lambda: self.now
        return self
