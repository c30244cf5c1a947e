"""Region objects: what profile_region() returns."""

from .. import _core
from .._base.unrecorded import unrecorded


class Region(_core.Region):
    """A named region: a context manager, and the way to what it recorded.

    There is one for each name in a manager, shared by everyone who uses that name and valid
    across setup() and finalize(). It can be entered again while it is open, by any thread,
    generator or task.
    """

    __slots__ = ()

    def __repr__(self):
        return f"<Region {self.name!r}: {self.num_calls} calls>"

    @unrecorded
    def get_stats(self):
        """The RegionStatistics of the finished calls of the current run, as of now."""
        from .._model.statistics import RegionStatistics
        from . import overhead

        lines = None
        if self.manager._line_mode:
            from . import line_overhead
            from .lines import lines_of

            lines = lines_of(self, line_overhead.of(self.manager))
        cost = overhead.of(self.manager)
        return RegionStatistics.from_row(self.manager._collect(self), cost.added_ns, lines)

    @unrecorded
    def print_stats(self, stream=None):
        """Print the statistics, and in line mode the line tables, to stream (sys.stdout)."""
        self.get_stats().print(stream)

    @property
    def region_name(self):
        """The name of the region."""
        return self.name

    @property
    def config(self):
        """The settings of the manager's run, see ProfileManager.get_config()."""
        return self.manager.get_config()

    @property
    def num_calls(self):
        """Finished calls in the current run."""
        return self.manager._collect(self)[2]

    def get_aggregate(self):
        """Count, total, minimum, maximum and exclusive time of the finished calls: a dict of int,
        times in ns."""
        stats = self.get_stats()
        return {
            "count": stats.num_calls,
            "total": stats.total_ns,
            "minimum": stats.minimum_ns,
            "maximum": stats.maximum_ns,
            "exclusive": stats.exclusive_ns,
        }

    aggregate_snapshot = get_aggregate

    def wrap(self, func):
        """The function, each call timed under this region; as ProfileManager.profile() does."""
        return self.manager.profile(self.name)(func)

    def add_function(self, func):
        """In line mode, count the lines of the function while the region is open."""
        self.manager._add_functions(self, [func])

    # ---- Where it stands

    @property
    def has_source(self):
        """Whether it is known where the region stands."""
        return self.source_file is not None

    @property
    def source_text(self):
        """The text of the block or function: a str, or None when it is not to be found."""
        from .source import text_at

        if self._source_text is not None or not self.has_source:
            return self._source_text
        return text_at(self.source_file, self.source_lineno)

    def set_source(self, filename, lineno, text=None):
        """Say where the region stands: a path, the number of a line and the text there, or None
        for each; a text that is not given is read from the file when it is asked for.

        Raises TypeError when an argument is not that, ValueError for a line below 0 or above 2**31 - 1.
        """
        for name, value, kind in (
            ("filename", filename, str), ("lineno", lineno, int), ("text", text, str),
        ):
            if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
                raise TypeError(f"{name} takes {kind.__name__} or None, got {value!r}")
        if not 0 <= (lineno or 0) < 2**31:
            raise ValueError(f"lineno takes the number of a line, got {lineno}")
        self._locate(filename, lineno or 0, text)

    # ---- Its calls

    @unrecorded
    def _columns(self):
        return self.manager._calls_of(self)

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

    def get_start_times_numpy(self):
        """start_times less the start of the run: int64 array, ns."""
        return self.start_times - self._origin()

    def get_end_times_numpy(self):
        """end_times less the start of the run: int64 array, ns."""
        return self.end_times - self._origin()

    def _origin(self):
        run = self.manager._run
        return 0 if run is None else run.start_time_ns


def _signature_of_lookup():
    """The inspect.Signature of the callable profile_region, which is in C."""
    import inspect

    return inspect.signature(lambda region_name, functions=None, tags=None, keep_every=None, keep=None: None)
