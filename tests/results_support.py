"""What tests of results share: regions and runs from a few numbers, and programs that make some."""

from hypothesis import HealthCheck, settings, strategies as st

from scope_profiler.results import MPIRegion, ProfilingResults, Region

SECOND = 10**9

# However slow the machine is at the moment.
patient = settings(deadline=None, suppress_health_check=list(HealthCheck))
AGGREGATES = {
    "count": 4, "total": 100, "minimum": 10, "maximum": 40, "std": 11.0, "p50": 24.5, "p999": 39,
}  # fmt: skip
NAMES = ("a", "b", "c", "d")
#: A program: regions, each with how much it does and what it calls, and whether it fails.
programs = st.recursive(
    st.just([]),
    lambda inside: st.lists(
        st.tuples(st.sampled_from(NAMES), st.integers(0, 60), inside, st.booleans()), max_size=4
    ),
    max_leaves=25,
)


def region(*calls, **facts):
    """A region of calls given as (start, end) in ns."""
    starts = [start for start, _ in calls]
    return Region(
        start_times_ns=starts, durations_ns=[end - start for start, end in calls], **facts
    )


def results(metadata=None, **regions):
    """Results of one rank, by name."""
    named = {name: MPIRegion(name, {0: one}) for name, one in regions.items()}
    return ProfilingResults(named, metadata)
