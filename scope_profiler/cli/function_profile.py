"""What `kernprof` without -l profiles with: every function that runs while it is on."""

import sys

from .._instrument import call_tracing
from ..io.pstats_writer import write_pstats
from ..manager import ProfileManager


class FunctionProfile:
    """A profile of functions: decorator, context manager, and on and off by hand.

    Python functions are recorded, of the program, of the standard library and of packages; those in C
    are not: their time is in that of who calls them. A decorated function records what it calls, in its
    thread; else all threads are recorded.
    """

    def __init__(self):
        self._manager = ProfileManager()
        self._manager.setup(output=None, aggregation_mode=True, verbose=False)
        self._root = None  # the name of the region around a program
        self.enable_count = 0

    def __call__(self, function):
        return self._manager.profile(recursive=True)(function)

    def __enter__(self):
        self.enable_by_count()
        return self

    def __exit__(self, *exception):
        self.disable_by_count()

    def enable(self):
        """Record every function from now on; nothing when that is so."""
        if self.enable_count == 0:
            self.enable_by_count()

    def disable(self):
        """End that, however often it was enabled."""
        if self.enable_count:
            self.enable_count = 1
            self.disable_by_count()

    def enable_by_count(self):
        """As enable(), until it is disabled as many times."""
        if self.enable_count == 0:
            call_tracing.start(self._manager, only_user_code=False)
        self.enable_count += 1

    def disable_by_count(self):
        """Take one enable_by_count() back; nothing when there is none."""
        if self.enable_count:
            self.enable_count -= 1
            if self.enable_count == 0:
                call_tracing.stop(self._manager)

    def runcall(self, function, name):
        """Call function() with all recorded that runs; name: of the region around it."""
        self._root = name
        with self, self._manager.profile_region(name):
            return function()

    def dump_stats(self, filename):
        """Write a file that pstats reads. Raises OSError when it cannot be written."""
        from .._run.snapshot import take_snapshot

        nodes = take_snapshot(self._manager, results=False).recorded.nodes
        write_pstats(filename, nodes, self._place)

    def _place(self, name):
        region = None if name == self._root else self._manager.get_region(name)
        return (None, 0) if region is None else (region.source_file, region.source_lineno or 0)

    def print_stats(self, sort=-1, stream=None):
        """Print the table of pstats to stream (sys.stdout)."""
        import os
        import pstats
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "functions.prof")
            self.dump_stats(path)
            stats = pstats.Stats(path, stream=stream or sys.stdout)
        stats.files.clear()  # whose names it would print
        stats.strip_dirs().sort_stats(sort).print_stats()
