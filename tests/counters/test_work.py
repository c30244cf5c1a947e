"""src/counters/work.h, src/record/call_work.c, src/python/counting.c: the work that calls did."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
import io
import threading

import numpy as np
import pytest

from conftest import NEEDS_H5PY
import scope_profiler as sp
from scope_profiler import ProfileManager, load
from scope_profiler._model.statistics import RegionStatistics
from scope_profiler._model.work import between, rates, together
from scope_profiler.io.journal_reader import recover
from scope_profiler.report.style import format_amount
from scope_profiler.results import MPIRegion, ProfilingResults, Region


def work(manager, name):
    return manager.get_region(name).get_stats().work


def lost(manager):
    return manager._counters()["work_lost"]


def tree(manager):
    """{path: work} of the nodes that have any."""
    paths, found = [], {}
    for parent, region, *rest in manager._collect(None):
        paths.append((*(paths[parent] if parent >= 0 else ()), region.name))
        if rest[-3] is not None:
            found[paths[-1]] = rest[-3]
    return found


# ---- Where it counts


def test_it_adds_up_with_its_rate(manager, clock):
    for flops in (2e9, 3_000_000_000):
        with manager.profile_region("solve") as region:
            clock.tick(10**9)
            region.add(flops=flops, cells=np.int64(7))
            region.add(bytes=0.5)
    stats = region.get_stats()
    assert stats.work == {"flops": 5e9, "cells": 14.0, "bytes": 1.0}
    assert stats.work_rates == {"flops": 2.5e9, "cells": 7.0, "bytes": 0.5}
    assert stats.to_dict()["work"] == stats.work and stats.to_dict()["work_rates"] == stats.work_rates
    assert lost(manager) == 0


def test_what_was_not_added_is_not_known(manager, clock):
    with manager.profile_region("r") as region:
        clock.tick(1)
    assert region.get_stats().work is None and region.get_stats().work_rates is None
    with region:
        region.add(flops=0)
    assert region.get_stats().work == {"flops": 0.0}
    assert region.get_stats().work_rates == {"flops": 0.0}


def test_there_is_no_rate_without_time(manager):
    with manager.profile_region("r") as region:
        region.add(flops=1)
    assert region.get_stats().work == {"flops": 1.0} and region.get_stats().work_rates is None


def test_open_calls_count_with_their_time(manager, clock):
    with manager.profile_region("r") as region:
        clock.tick(2 * 10**9)
        region.add(flops=6)
        assert (region.get_stats().num_calls, region.get_stats().work_rates) == (0, {"flops": 3.0})


def test_it_is_the_regions_own(manager):
    with manager.profile_region("outer") as outer:
        with manager.profile_region("inner") as inner:
            outer.add(cells=1)
            inner.add(cells=2)
            manager.add(cells=4)
        manager.add(cells=8)
    assert tree(manager) == {("outer",): {"cells": 9.0}, ("outer", "inner"): {"cells": 6.0}}


def test_each_place_in_the_tree_has_its_own(manager):
    solve = manager.profile_region("solve")
    for name, cells in (("a", 1), ("b", 2)):
        with manager.profile_region(name), solve:
            solve.add(cells=cells)
    assert tree(manager) == {("a", "solve"): {"cells": 1.0}, ("b", "solve"): {"cells": 2.0}}
    assert work(manager, "solve") == {"cells": 3.0}


def test_a_recursion_is_one_place(manager):
    def down(depth):
        with manager.profile_region("r") as region:
            region.add(cells=1)
            if depth:
                down(depth - 1)

    down(9)
    assert tree(manager) == {("r",): {"cells": 10.0}}


def test_decorated_functions_and_generators(manager):
    @manager.profile("f")
    def function():
        manager.add(cells=1)

    @manager.profile("g")
    def generator():
        for _ in range(3):
            manager.get_region("g").add(cells=1)
            yield

    for _ in zip(generator(), generator()):
        function()
    assert (work(manager, "f"), work(manager, "g")) == ({"cells": 3.0}, {"cells": 6.0})
    assert lost(manager) == 0


def test_tasks_find_the_regions_around_them(manager):
    region = manager.profile_region("job")

    async def task(n):
        region.add(cells=1)  # open around the loop, in another context
        with manager.profile_region("part") as part:
            await asyncio.sleep(0)
            part.add(cells=n)
            region.add(cells=1)
        manager.add(cells=100)

    async def main():
        await asyncio.gather(*map(task, range(5)))

    with region:
        asyncio.run(main())
    assert tree(manager) == {("job",): {"cells": 510.0}, ("job", "part"): {"cells": 10.0}}
    assert lost(manager) == 0


def test_threads_have_their_own_calls(manager):
    region = manager.profile_region("r")
    inside, done = threading.Barrier(5), []

    def thread(n):
        with region:
            inside.wait()
            for _ in range(1000):
                region.add(cells=n, calls=1)
        done.append(n)

    threads = [threading.Thread(target=thread, args=(n,)) for n in range(4)]
    for each in threads:
        each.start()
    inside.wait()
    region.add(cells=1)  # not open in this thread
    for each in threads:
        each.join()
    assert work(manager, "r") == {"cells": 6000.0, "calls": 4000.0}
    assert lost(manager) == 1


def test_work_for_other_threads_is_below_where_it_was_submitted(tmp_path):
    manager = ProfileManager()
    manager.setup(output=None, verbose=False, submitted_work=True) if _takes("submitted_work") else \
        manager.setup(output=None, verbose=False)
    with manager.profile_region("submits") as region, ThreadPoolExecutor(1) as pool:
        pool.submit(region.add, cells=1).result()
    # Without the setting the thread has no call of the region open.
    assert (work(manager, "submits") or {}).get("cells", 0) + lost(manager) == 1
    manager.reset()


def _takes(name):
    from scope_profiler.config.table import TABLE

    return name in {setting.name for setting in TABLE}


# ---- When nothing is counted


def test_without_an_open_call_it_is_left_out_and_told(manager, capsys):
    region = manager.profile_region("r")
    region.add(flops=1)
    manager.add(flops=1)
    with manager.profile_region("other"):
        region.add(flops=1)
    assert lost(manager) == 3 and tree(manager) == {}
    manager.finalize()
    assert "3 times add() found no open call of its region" in capsys.readouterr().out


def test_without_a_run_or_paused_nothing_happens(clock):
    manager = ProfileManager()
    region = manager.profile_region("r")
    with region:
        assert region.add(flops=1) is None and manager.add(flops=1) is None
    manager.setup(deactivate_file_output=True)
    with region:
        manager.pause()
        region.add(flops=1)
        manager.add(flops=1)
        manager.resume()
        region.add(flops=2)
    assert work(manager, "r") == {"flops": 2.0} and lost(manager) == 0
    manager.reset()
    assert region.add(flops=1) is None


def test_regions_that_their_tags_switch_off(manager):
    manager.setup(deactivate_file_output=True, region_tags=["solver"], replace=True)
    region = manager.profile_region("r", tags="io")
    with region:
        region.add(flops=1)
    assert work(manager, "r") is None and lost(manager) == 0


def test_a_new_run_begins_with_nothing(manager):
    for _ in range(2):
        with manager.profile_region("r") as region:
            region.add(flops=1)
        assert work(manager, "r") == {"flops": 1.0}
        manager.setup(deactivate_file_output=True, replace=True)


def test_there_are_32_quantities(manager):
    names = [f"q{i}" for i in range(40)]
    with manager.profile_region("r") as region:
        for name in names:
            region.add(**{name: 1})
        region.add(**{"".join(["q", "0"]): 1})  # another object of the same text
    assert work(manager, "r") == {"q0": 2.0, **dict.fromkeys(names[1:32], 1.0)}
    assert lost(manager) == 8


# ---- Arguments


class Number:
    def __float__(self):
        return 4.0


class Broken:
    def __float__(self):
        raise KeyError("mine")


@pytest.mark.parametrize("value", [4, 4.0, True + 3, np.float32(4), np.array(4), Fraction(4), Number()])
def test_numbers(manager, value):
    with manager.profile_region("r") as region:
        region.add(flops=value)
    assert work(manager, "r") == {"flops": 4.0}


@pytest.mark.parametrize("value, error, text", [
    ("4", TypeError, "^flops takes a number of at least 0, got '4'$"),
    (None, TypeError, "^flops takes a number of at least 0, got None$"),
    (4j, TypeError, "^flops takes a number of at least 0, got 4j$"),
    (-1, ValueError, "^flops takes a number of at least 0, got -1$"),
    (float("nan"), ValueError, "^flops takes a number of at least 0, got nan$"),
    (float("inf"), ValueError, "^flops takes a number of at least 0, got inf$"),
    (10**400, ValueError, "^flops takes a number below 1.8e308, got one of int$"),
    (Broken(), KeyError, "mine"),
], ids=["text", "None", "complex", "negative", "nan", "inf", "large", "broken"])
def test_what_is_no_number(manager, value, error, text):
    with manager.profile_region("r") as region:
        for add in (region.add, manager.add):
            with pytest.raises(error, match=text):
                add(cells=1, flops=value)
        assert region.add() is None
    assert work(manager, "r") is None and lost(manager) == 0


def test_arguments_by_position_and_too_many(manager):
    region = manager.profile_region("r")
    for add in (region.add, manager.add, ProfileManager().add):
        with pytest.raises(TypeError, match=r"^add\(\) takes keyword arguments alone.*got 1 by position"):
            add(1)
    with region, pytest.raises(ValueError, match=r"^add\(\) takes at most 32 quantities, got 33"):
        region.add(**{f"q{i}": 1 for i in range(33)})


def test_the_module_has_the_one_of_the_process(clock):
    sp.setup(deactivate_file_output=True, verbose=False)
    with sp.region("r"):
        sp.add(flops=3)
        ProfileManager.add(flops=1)
    assert sp.get_region("r").get_stats().work == {"flops": 4.0}


# ---- In reports, results and files


@pytest.fixture
def program(clock, tmp_path):
    """program(**settings): finalized, its manager; two calls of 1 s, and one that added nothing."""
    managers = []

    def program(**settings):
        manager = ProfileManager()
        managers.append(manager)
        manager.setup(**settings)
        for flops in (1e9, 2e9):
            with manager.profile_region("step"):
                with manager.profile_region("solve") as solve:
                    clock.tick(10**9)
                    solve.add(flops=flops, bytes=1024)
        with manager.profile_region("io"):
            clock.tick(10**9)
        return manager

    yield program
    for manager in managers:
        manager.reset()


WORK = {"flops": 3e9, "bytes": 2048.0}
RATES = {"flops": 1.5e9, "bytes": 1024.0}


def test_reports(program, capsys):
    manager = program(deactivate_file_output=True)
    manager.get_region("solve").print_stats()
    out = capsys.readouterr().out
    assert "Work in flops: 3.000 G, 1.500 G each second\n" in out
    assert "Work in bytes: 2048, 1024 each second\n" in out
    manager.finalize()
    out = capsys.readouterr().out
    assert "flops  flops/s  bytes  bytes/s" in out.replace("   ", "  ").replace("   ", "  ")
    (solve,) = (line for line in out.splitlines() if "solve" in line)
    for text in ("3.000 G", "1.500 G", "2048", "1024"):
        assert text in solve
    assert "add()" in out  # what it cost


def test_columns_of_results(program):
    results = program(deactivate_file_output=True).finalize(verbose=False, return_results=True)

    def printed(**how):
        stream = io.StringIO()
        results.print_summary(stream=stream, suppress_notes=True, **how)
        return [line.split() for line in stream.getvalue().splitlines()[3:] if line]

    assert printed(columns=["region", "rate"]) == [
        ["Region", "flops/s", "bytes/s"], ["─" * len("Region    flops/s  bytes/s")], ["step"],
        ["└─", "solve", "1.500", "G", "1024"], ["io"]]
    assert printed(columns=["work:bytes", "name"])[0] == ["bytes", "Region"]
    assert [row[0] for row in printed(columns=["region", "work"], sort="work:flops")[2:]] == [
        "step", "└─", "io"]
    with pytest.raises(ValueError, match="^columns takes .*; got 'works'$"):
        printed(columns=["works"])
    with pytest.raises(ValueError, match="^sort takes .*; got 'work'$"):
        printed(sort="work")


def check(results, ranks=1):
    """That it is the work of `program`."""
    region = results["solve"]
    assert region.work == {name: ranks * amount for name, amount in WORK.items()}
    assert region.work_rates == RATES
    assert region[0].work == WORK and region[0].work_rates == RATES
    assert results["io"].work is None and results["io"].work_rates is None
    nodes = {node.name: node.statistics for node in results.recorded[0].nodes}
    assert nodes["solve"].work == WORK and nodes["solve"].work_rates == RATES
    assert nodes["step"].work is None is nodes["io"].work


@pytest.mark.parametrize("suffix", [pytest.param(".h5", marks=NEEDS_H5PY), ".json", ".json.gz"])
@pytest.mark.parametrize("aggregation_mode", [False, True])
def test_files(program, tmp_path, suffix, aggregation_mode):
    path = tmp_path / f"run{suffix}"
    manager = program(file_path=path, verbose=False, aggregation_mode=aggregation_mode)
    check(manager.finalize(return_results=True))
    read = load(path)
    check(read)
    again = tmp_path / f"again{suffix}"
    sp.write_profile(read, again)
    check(load(again))
    if suffix == ".h5":
        check(sp.read_h5_summary(path))


@NEEDS_H5PY
def test_a_file_without_work_is_as_it_was(manager, tmp_path):
    import h5py

    with manager.profile_region("r"):
        pass
    sp.write_profile(manager.finalize(verbose=False, return_results=True), tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5") as file:
        assert not {"work", "quantities"} & {*file["recorded"]}


@NEEDS_H5PY
@pytest.mark.parametrize("row", [(99, 0, 1.0), (-1, 0, 1.0), (1, 5, 1.0), (1, -1, 1.0), (1, 0, float("nan"))])
def test_damaged_files(program, tmp_path, row):
    import h5py

    path = tmp_path / "x.h5"
    program(file_path=path, verbose=False).finalize()
    with h5py.File(path, "r+") as file:
        file["recorded/work"][0] = row
    with pytest.raises(sp.CorruptProfileError):
        load(path)


def test_ranks_together(program, tmp_path):
    results = program(deactivate_file_output=True).finalize(verbose=False, return_results=True)
    merged = ProfilingResults(
        {region.name: MPIRegion(region.name, {0: region[0], 1: region[0]}) for region in results},
        recorded={0: results.recorded[0], 1: results.recorded[0]}, num_ranks=2)
    check(merged, 2)
    stream = io.StringIO()
    merged.print_summary(stream=stream)
    (solve,) = (line for line in stream.getvalue().splitlines() if "solve" in line)
    assert "6.000 G  1.500 G" in solve


def test_the_time_between(manager, clock):
    region = manager.profile_region("r")
    with region:
        clock.tick(10)
        region.add(flops=1)
    before = manager.snapshot()
    with region:
        clock.tick(10)
        region.add(flops=5, bytes=2)
        during = manager.snapshot()
    with manager.profile_region("other"):
        clock.tick(10)
    after = manager.snapshot()
    assert (after - before)["r"].work == {"flops": 5.0, "bytes": 2.0}
    assert (during - before).recorded[0].nodes[0].statistics.work == {"flops": 5.0, "bytes": 2.0}
    assert (after - during)["r"].work is None


def test_calls_that_are_chosen_have_none_that_is_known(program):
    results = program(deactivate_file_output=True).finalize(verbose=False, return_results=True)
    region = results["solve"][0]
    assert region.taken(slice(0, 1)).work is None


@NEEDS_H5PY
def test_a_journal_has_it_as_of_its_last_checkpoint(program, tmp_path, clock):
    manager = program(output=tmp_path / "out.h5", journal=True, verbose=False)
    manager._on_checkpoint(manager)
    (path,) = tmp_path.glob("*.journal")
    recovered, _ = recover(path)
    assert recovered["solve"].work == WORK
    assert "work" in recovered.metadata["recovered_as_of"]


def test_metrics_of_a_service(program):
    results = program(deactivate_file_output=True).finalize(verbose=False, return_results=True)
    text = results.openmetrics()
    assert ('scope_profiler_region_work_total{region="solve",rank="0",quantity="flops"} 3000000000.0\n'
            in text)
    assert 'region="io",rank="0",quantity' not in text


# ---- The functions


def test_together_between_and_rates():
    assert together([]) is together([None, {}]) is None
    assert together([{"a": 1.0}, None, {"a": 2.0, "b": 0.0}]) == {"a": 3.0, "b": 0.0}
    assert between(None, None) is between({"a": 1.0}, {"a": 1.0}) is None
    assert between({"a": 3.0, "b": 1.0}, {"a": 1.0}) == {"a": 2.0, "b": 1.0}
    assert rates(None, 5) is rates({"a": 1.0}, 0) is rates({"a": 1.0}, None) is None
    assert rates({"a": 1.0}, 500_000_000) == {"a": 2.0}


@pytest.mark.parametrize("amount, text", [
    (0, "0"), (7, "7"), (9999, "9999"), (10_000, "10.00 k"), (999.96, "1.000 k"), (0.25, "0.25"),
    (1.5, "1.500"), (2_048_000, "2.048 M"), (1e9, "1.000 G"), (999_999, "1.000 M"), (1.2345e12, "1.234 T"),
    (3e15, "3.000 P"), (2e18, "2.000 E"), (5e25, "5e+07 E"), (1e-5, "1e-05"),
])
def test_amounts_as_text(amount, text):
    assert format_amount(amount) == text


@pytest.mark.parametrize("given", [{"a": "x"}, {3: 1.0}, {"a": float("nan")}, [1]])
def test_work_of_a_region_that_is_made(given):
    with pytest.raises((TypeError, ValueError), match="work"):
        Region(work=given)


def test_statistics_of_nothing_have_no_work():
    assert RegionStatistics.nothing_of("r").work is None
