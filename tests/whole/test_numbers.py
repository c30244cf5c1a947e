"""One source: every number of a run is the same wherever it is looked up, to the last digit."""

from contextlib import suppress
import io
import threading

import numpy
from hypothesis import given, settings
import pytest
from conftest import NEEDS_H5PY, examples
from results_support import patient, programs

from scope_profiler import ProfileManager, _core, load, load_processes, read_h5_summary, write_profile
from scope_profiler.results import merge_processes


class _Failure(Exception):
    pass


def execute(manager, program):
    for name, work, inside, fails in program:
        with suppress(_Failure), manager.profile_region(name):
            sum(range(work))
            execute(manager, inside)
            if fails:
                raise _Failure


#: {number of a region in results: that of RegionStatistics}
SAME = {
    "num_calls": "num_calls",
    "errors": "errors",
    "total_duration": "sum",
    "inclusive_duration": "total",
    "exclusive_duration": "exclusive",
    "average_duration": "average",
    "min_duration": "minimum",
    "max_duration": "maximum",
    "std_duration": "std",
    "p50_duration": "p50",
    "p90_duration": "p90",
    "p95_duration": "p95",
    "p99_duration": "p99",
    "p999_duration": "p999",
    "corrected_total_ns": "corrected_total_ns",
    "corrected_exclusive_ns": "corrected_exclusive_ns",
}


def numbers(results):
    """Every number of every region, and of every node of the tree."""
    regions = {
        region.name: {
            **{name: getattr(region, name) for name in SAME},
            "p12.5": region.percentile_duration(12.5),
            **{key: value for key, value in region.get_summary().items()
               if not key.startswith(("first", "last"))},
        }
        for region in results
    }
    nodes = {
        rank: [(node.parent, node.first_ns, node.statistics) for node in tree.nodes]
        for rank, tree in results.recorded.items()
    }
    return regions, nodes


def printed(function, *arguments):
    """The rows and remarks of a table, without what heads it."""
    stream = io.StringIO()
    function(*arguments, stream=stream)
    lines = stream.getvalue().splitlines()
    return [line for line in lines[3:] if line and not line.startswith("Written: ")]


def names_that_call(program):
    """The regions that something is called in."""
    return {name for name, _, inside, _ in program if inside}.union(
        *(names_that_call(inside) for _, _, inside, _ in program))


def check(manager, folder, kind, calling):
    run = manager._run
    stream = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", stream)
        results = manager.finalize(return_results=True)
    report = [line for line in stream.getvalue().splitlines()[3:]
              if line and not line.startswith("Written: ")]
    expected = numbers(results)
    for name, known in expected[0].items():
        stats = manager.get_region(name).get_stats()
        assert {ours: getattr(stats, theirs) for ours, theirs in SAME.items()} == {
            ours: known[ours] for ours in SAME}
        assert manager.get_region(name).num_calls == stats.num_calls
        assert stats.exclusive_ns <= stats.total_ns <= stats.sum_ns
        assert stats.minimum_ns <= stats.p50_ns <= stats.p999_ns <= stats.maximum_ns
        of_nodes = [node.statistics for node in results.recorded[0].nodes if node.name == name]
        assert sum(one.num_calls for one in of_nodes) == stats.num_calls
    for node in results.recorded[0].nodes:
        if node.name not in calling:
            assert node.statistics.exclusive_ns == node.statistics.total_ns
    read = [load(run.file_path), load_processes(run.file_path)]
    for form in ("h5", "json", "json.gz"):
        for source in (results, read[0]):
            write_profile(source, folder / f"again.{form}")
            read.append(load(folder / f"again.{form}"))
    if kind == "h5":
        read.append(read_h5_summary(run.file_path))
    for again in (results, *read):
        assert numbers(again) == expected
        if expected[0]:
            assert printed(again.print_summary) == report


@NEEDS_H5PY
@pytest.mark.parametrize("aggregated", [False, True])
@pytest.mark.parametrize("kind", ["h5", "json"])
def test_every_number_is_the_same_everywhere(tmp_path, kind, aggregated):
    @settings(patient, max_examples=examples(8))
    @given(programs)
    def of_any_program(program):
        manager = ProfileManager()
        manager.setup(file_path=tmp_path / f"run.{kind}", aggregation_mode=aggregated)
        execute(manager, program)
        check(manager, tmp_path, kind, names_that_call(program))
        manager.reset()

    of_any_program()


def test_numbers_stay_while_no_call_ends(manager):
    with manager.profile_region("a"):
        pass
    before = manager.get_region("a").get_stats()
    for _ in range(100):
        sum(range(1000))
    assert manager.get_region("a").get_stats() == before


def test_the_report_is_of_one_moment(manager):
    """What happens between the results and the report is in neither."""
    with manager.profile_region("a"):
        pass
    from scope_profiler._run import snapshot

    original = snapshot.take_snapshot

    def take(*arguments):
        taken = original(*arguments)
        with manager.profile_region("late"):
            pass
        return taken

    stream = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "take_snapshot", take)
        patch.setattr("sys.stdout", stream)
        results = manager.finalize(return_results=True)
    assert results.region_names == ["a"] and "late" not in stream.getvalue()


def test_lines_and_metadata_are_of_that_moment_too(manager):
    """What is done once it is taken, as other threads do, is in neither results nor report."""
    from scope_profiler._run import finalizing

    manager.setup(deactivate_file_output=True, use_line_profiler=True, track_threads=True,
                  replace=True)

    @manager.profile("work")
    def work():
        return 1

    def go_on():
        with manager.metadata(late=True):
            work()

    def now(*arguments, original=finalizing.now, **options):
        moment = original(*arguments, **options)
        thread = threading.Thread(target=go_on)
        thread.start()
        thread.join()
        return moment

    with manager.metadata(early=True):
        work()
    stream = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finalizing, "now", now)
        patch.setattr("sys.stdout", stream)
        results = manager.finalize(return_results=True)
    [lines] = results.line_profile[0]
    assert lines["hits"].tolist() == [1] and results["work"].num_calls == 1
    assert f"{lines['line_numbers'][0]:>6} {1:>9}" in stream.getvalue()
    assert len(results.threads[0]) == 1
    assert list(results["work"][0].event_metadata) == [{"early": True}]
    assert results["work"][0].event_metadata.table == [{"early": True}]


def test_percentiles_of_processes_that_kept_no_calls():
    """Their sketches come together, and lie within 0.8 % of what the calls would have said."""
    runs = []
    for times in (range(1, 2000), range(5000, 9000, 3)):
        manager = ProfileManager()
        manager.setup(deactivate_file_output=True, aggregation_mode=True)
        now = 1000
        _core._fake_clock(now)
        for time in times:
            with manager.profile_region("a"):
                _core._fake_clock(now := now + time)
        runs.append(manager.finalize(verbose=False, return_results=True))
        _core._fake_clock(None)
    both = merge_processes(runs)
    every = [*range(1, 2000), *range(5000, 9000, 3)]
    for percentile in (0, 10, 50, 66.6, 90, 99.9, 100):
        expected = numpy.percentile(every, percentile) / 1e9
        assert both["a"].percentile_duration(percentile) == pytest.approx(expected, rel=0.009)
    stream = io.StringIO()
    both.print_summary(stream=stream, columns=["region", "p50", "std"])
    [row] = [line for line in stream.getvalue().splitlines() if line.startswith("a ")]
    assert "–" not in row
    assert both["a"].std_duration == pytest.approx(numpy.std(every) / 1e9, rel=1e-3)
