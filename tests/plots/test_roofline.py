"""plots/roofline.py: performance against arithmetic intensity, of work that was added."""

import pytest

import scope_profiler as sp
from scope_profiler import ProfileManager
from scope_profiler.results import merge_results


@pytest.fixture
def results(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    for name, work in (("dense", {"flops": 8e9, "bytes": 1e9}), ("stream", {"flops": 1e9, "bytes": 4e9}),
                       ("io", {"bytes": 1e9}), ("idle", {})):
        with manager.profile_region(name) as region:
            clock.tick(2 * 10**9)
            region.add(**work)
    yield manager.finalize(verbose=False, return_results=True)
    manager.reset()


def test_points(results):
    points = sp.collect_roofline_points(results)
    assert [(one["region"], one["rank"], one["performance_gflops"], one["bandwidth_gbs"],
             one["arithmetic_intensity_flops_per_byte"], one["runtime_seconds"]) for one in points] == [
        ("dense", 0, 4.0, 0.5, 8.0, 2.0), ("stream", 0, 0.5, 2.0, 0.25, 2.0)]
    ranks = merge_results(results, results, ranks=True)
    assert [one["rank"] for one in sp.collect_roofline_points(ranks)] == [0, 1, 0, 1]
    assert sp.collect_roofline_points(results, include="dense", ranks=0)[0]["region"] == "dense"
    assert sp.collect_roofline_points(results, flops_metric="cells") == []


def test_the_roof(results, tmp_path):
    roof = sp.plot_roofline(results, data_filepath=tmp_path / "x.csv", verbose=False)
    assert (roof["peak_flops_gflops"], roof["peak_bandwidth_gbs"]) == (4.0, 2.0)
    assert roof["empirical_ceilings"] == ["flops", "bandwidth"] and len(roof["points"]) == 2
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 3
    roof = sp.plot_roofline(results, peak_flops=100, peak_bandwidth=20, verbose=False)
    assert (roof["peak_flops_gflops"], roof["peak_bandwidth_gbs"]) == (100.0, 20.0)
    assert roof["empirical_ceilings"] == []


@pytest.mark.parametrize("peaks", [{}, {"peak_flops": 100, "peak_bandwidth": 20}])
def test_the_picture(results, tmp_path, peaks):
    pytest.importorskip("matplotlib")
    sp.plot_roofline(results, filepath=tmp_path / "x.png", verbose=False, **peaks)
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
