"""What `kernprof` without -l profiles with: every function that runs while it is on."""

from ..cprofile import Profile


class FunctionProfile(Profile):
    """A profile of functions: decorator, context manager, and on and off by hand.

    Python functions are recorded, of the program, of the standard library and of packages; those in C
    are not: their time is in that of who calls them. A decorated function records what it calls, in its
    thread; else all threads are recorded.
    """

    def __init__(self):
        super().__init__(builtins=False)
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
            super().enable()
        self.enable_count += 1

    def disable_by_count(self):
        """Take one enable_by_count() back; nothing when there is none."""
        if self.enable_count:
            self.enable_count -= 1
            if self.enable_count == 0:
                super().disable()

    def create_stats(self):
        """Take what was recorded up to now; files are written in between, too."""
        self.snapshot_stats()

    def runcall(self, function, name):
        """Call function() with all recorded that runs; name: of the region around it."""
        root = self._manager.profile_region(name)
        root.set_source(None, None)
        with self, root:
            return function()
