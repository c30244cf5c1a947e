"""A run at random is the same from its journal, and from a file of every format that holds results."""

from importlib.util import find_spec

from conftest import examples
from hdf5_support import contents
from hypothesis import example, given, settings, strategies as st
from results_support import programs
from test_spt import trace

from scope_profiler import ProfileManager, _core, load, write_profile

FORMATS = [suffix for suffix, needs in ((".h5", "h5py"), (".json", None), (".parquet", "pyarrow"))
           if needs is None or find_spec(needs)]
_TEXTS = st.text(max_size=5)
_VALUES = st.dictionaries(_TEXTS, st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | _TEXTS
                          | st.none() | st.booleans(), max_size=2)


class Run:
    """Executes a program under the fake clock, a part of it with metadata."""

    def __init__(self, path, metadata):
        self.manager = ProfileManager()
        self.manager.setup(output=path, verbose=False)
        self.metadata, self.now, self.calls = metadata, 1_000, 0
        _core._fake_clock(self.now)

    def tick(self, ns):
        self.now += ns
        _core._fake_clock(self.now)

    def execute(self, program):
        for name, work, children, fails in program:
            self.calls += 1
            values = self.metadata[self.calls % len(self.metadata)]
            try:
                with self.manager.metadata(**values), self.manager.profile_region(name):
                    self.tick(work + 1)
                    self.execute(children)
                    if fails:
                        raise ValueError
            except ValueError:
                pass
            self.tick(1)


def calls(results):
    """Of each region what every call is, and what the tree says of all."""
    found = {}
    for region in results:
        one = region[0]
        found[region.name] = (one.start_times_ns.tolist(), one.durations_ns.tolist(),
                              [*map(dict, one.event_metadata or ())], one.inclusive_duration_ns,
                              one.exclusive_duration_ns)
    return found


def places(results):
    return [(node.parent, node.name, node.statistics.num_calls, node.statistics.total_ns,
             node.statistics.exclusive_ns, node.first_ns) for node in results.recorded[0].nodes]


#: A call of d inside another, of which its path knows nothing: c is folded.
_FOLDED = [("c", 0, [("d", 0, [("c", 0, [("a", 0, [("d", 0, [], False)], False)], False)], False)], False)]


@given(programs, st.lists(_VALUES, min_size=1, max_size=3))
@example(_FOLDED, [{}])
@settings(max_examples=examples(15))
def test_a_run_is_the_same_from_its_journal_and_from_every_format(tmp_path_factory, program, metadata):
    folder = tmp_path_factory.mktemp("round")
    run = Run(folder / "x.json", metadata)
    try:
        run.execute(program)
        results = run.manager.snapshot()
        journals = [load(path) for path in folder.glob("*.journal")]
    finally:
        run.manager.reset()
        _core._fake_clock(None)
    assert len(journals) == bool(run.calls)
    for known in (results, *journals):
        assert calls(known) == calls(results) and places(known) == places(results)
        for suffix in FORMATS:
            assert contents(load(write_profile(known, folder / f"y{suffix}"))) == contents(known)
    native = trace(folder / "x.spt", regions=[
        (region.name, "", -1, [*zip(region[0].start_times_ns.tolist(), region[0].end_times_ns.tolist())])
        for region in results if region.num_calls])
    assert {name: known[:2] for name, known in calls(load(native)).items()} == {
        name: known[:2] for name, known in calls(results).items() if known[0]}
