"""Region objects: what profile_region() returns."""

from . import _core


class Region(_core.Region):
    """A named region: a context manager, and the way to what it recorded.

    There is one for each name in a manager, shared by everyone who uses that name and valid
    across setup() and finalize(). It can be entered again while it is open, by any thread,
    generator or task.
    """

    __slots__ = ()

    def __repr__(self):
        return f"<Region {self.name!r}: {self.num_calls} calls>"

    def get_stats(self):
        """The RegionStatistics of the finished calls of the current run, as of now."""
        from .statistics import RegionStatistics

        timings = None
        if self.manager._line_mode:
            from .lines import timings_of

            timings = timings_of(self)
        return RegionStatistics.from_row(self.manager._collect(self), timings)

    def print_stats(self, stream=None):
        """Print the statistics, and in line mode the line tables, to stream (sys.stdout)."""
        from .report import print_region

        print_region(self, stream)

    @property
    def region_name(self):
        """The name of the region."""
        return self.name

    @property
    def num_calls(self):
        """Finished calls in the current run."""
        return self.manager._collect(self)[2]

    def _columns(self):
        from .snapshot import calls_of

        return calls_of(self)

    @property
    def start_times(self):
        """Start of each finished call: int64 array, ns on the perf_counter_ns() axis, sorted."""
        return self._columns()[0]

    @property
    def end_times(self):
        """End of each finished call, in the order of start_times: int64 array, ns."""
        starts, durations = self._columns()
        return starts + durations

    def get_durations_numpy(self):
        """Duration of each finished call, in the order of start_times: int64 array, ns."""
        return self._columns()[1]
