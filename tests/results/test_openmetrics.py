"""The text for Prometheus, and that its parser reads it."""

import pytest
from results_support import AGGREGATES, SECOND, region, results

from scope_profiler.results import MPIRegion, ProfilingResults, Region
from scope_profiler.results.openmetrics import BOUNDS


def samples(text):
    """{(name, labels): value} as the parser of prometheus_client has them."""
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parser.text_string_to_metric_families(text) for sample in family.samples
    }


NAME = "scope_profiler_region_duration_seconds"


def test_the_parser_of_prometheus_reads_it():
    run = ProfilingResults({
        "solve": MPIRegion("solve", {0: region((0, 3000), (5000, 5000 + SECOND), errors=1),
                                     2: region((0, 10))}),
        'a "b"\\\n</script>': MPIRegion('a "b"\\\n</script>', {0: region((0, 500 * SECOND))}),
        "never": MPIRegion("never", {0: Region()}),
    })
    found = samples(run.openmetrics())
    assert found[f"{NAME}_count", "solve", "0"] == 2
    assert found[f"{NAME}_sum", "solve", "0"] == 1.000003
    assert found[f"{NAME}_bucket", "solve", "0", "2.5e-06"] == 0
    assert found[f"{NAME}_bucket", "solve", "0", "5e-06"] == 1
    assert found[f"{NAME}_bucket", "solve", "0", "1.0"] == 2
    assert found[f"{NAME}_bucket", "solve", "2", "1e-06"] == 1
    assert found["scope_profiler_region_errors_total", "solve", "0"] == 1
    assert found["scope_profiler_region_own_seconds_total", "solve", "2"] == 1e-8
    assert found[f"{NAME}_bucket", 'a "b"\\\n</script>', "0", "500.0"] == 1
    assert not any("never" in key for key in found)


def test_what_the_recorder_knows_of_calls_that_were_not_kept(manager, clock):
    for ns in (500, 2000, 2000, 10**7):
        with manager.profile_region("r"):
            clock.tick(ns)
    text = manager.finalize(return_results=True, verbose=False).openmetrics()
    found = samples(text)
    assert [found[f"{NAME}_bucket", "r", "0", repr(bound)] for bound in BOUNDS[:2]] == [1, 3]
    assert found[f"{NAME}_bucket", "r", "0", "+Inf"] == 4


def test_without_durations_there_are_counts_and_sums():
    text = results(a=Region(statistics=AGGREGATES)).openmetrics()
    found = samples(text)
    assert found[f"{NAME}_count", "a", "0"] == found[f"{NAME}_bucket", "a", "0", "+Inf"] == 4
    assert sum(key[0] == f"{NAME}_bucket" for key in found) == 1
    assert text.endswith("# EOF\n")


def test_nothing():
    assert samples(ProfilingResults({}).openmetrics()) == {}
