"""exports/prof: files that pstats reads, with the numbers of the tree."""

import cProfile
import io
import pstats

from export_runs import RUNS, functions, two_ranks
import pytest

import scope_profiler as sp


@pytest.fixture(params=RUNS)
def run(request):
    return RUNS[request.param]()


def test_numbers_are_those_of_the_tree(run, tmp_path):
    for rank, path in enumerate(run.export(tmp_path / "x.prof")):
        stats = pstats.Stats(str(path)) if run.region_names else sp.load_prof(path)
        nodes = run.recorded[rank].nodes if run.recorded else ()
        rows = stats.stats.values()
        if nodes:
            assert sum(row[1] for row in rows) == sum(node.statistics.num_calls for node in nodes)
            assert sum(row[2] for row in rows) == pytest.approx(
                sum(node.statistics.exclusive_ns for node in nodes) / 1e9)
        for region in run:
            if rank in region and region.source_file is None:
                row = stats.stats["~", 0, region.name]
                assert row[1] == region[rank].num_calls
                assert row[3] == pytest.approx(region[rank].inclusive_duration_ns / 1e9)


def test_callers_add_up_to_their_functions(run, tmp_path):
    for path in run.export(tmp_path / "x.prof"):
        for key, (_, calls, own, total, callers) in sp.load_prof(path).stats.items():
            if not callers:
                continue
            assert sum(row[1] for row in callers.values()) <= calls
            for at, of_all in (2, own), (3, total):
                assert sum(row[at] for row in callers.values()) <= of_all * (1 + 1e-9), key


def test_functions_have_the_keys_of_cprofile(tmp_path):
    from export_runs import program

    profile = cProfile.Profile()
    profile.runcall(program)
    profile.create_stats()
    theirs = {(line, name): row[1] for (file, line, name), row in profile.stats.items()
              if file.endswith("export_runs.py") and "comp>" not in name}
    [path] = functions().export(tmp_path / "x.prof")
    ours = {(line, name): row[1] for (file, line, name), row in pstats.Stats(str(path)).stats.items()}
    assert ours == theirs
    assert [name for _, name in ours].count("side") == 2  # the getter and the setter


def test_paths_are_entries_of_their_own(tmp_path):
    run = functions()
    [path] = sp.export_prof(run, tmp_path / "x.prof", verbose=False)
    stats = pstats.Stats(str(path)).stats
    names = {name for _, _, name in stats}
    assert "functions" in names
    assert "export_runs.program > export_runs.recursive > export_runs.leaf" in names
    assert stats["~", 0, "functions"][3] == pytest.approx(
        sum(row[3] for row in stats.values() if ("~", 0, "functions") in row[4]))
    assert {key: found.stats for key, found in sp.to_pstats(run).items()} == {("functions", 0): stats}


def test_each_rank_has_its_file(tmp_path, capsys):
    paths = sp.export_prof(two_ranks(), tmp_path / "x.prof", call_paths=False)
    assert [path.name for path in paths] == ["x_rank0.prof", "x_rank1.prof"]
    assert capsys.readouterr().out == "".join(f"Wrote {path}\n" for path in paths)
    assert pstats.Stats(*map(str, paths)).total_calls == 4


@pytest.mark.parametrize("text", [b"", b"no", b"\xe9\x01"])
def test_what_is_no_file_of_pstats_is_refused(text, tmp_path):
    path = tmp_path / "x.prof"
    path.write_bytes(text)
    with pytest.raises(ValueError, match="x.prof is no file of pstats"):
        sp.load_prof(path)


def test_printed_as_pstats_does():
    run = functions()
    out = io.StringIO()
    run.print_stats("leaf|recursive", sort="ncalls", stream=out)
    run.print_callers("leaf", stream=out)
    run.print_callees("program", stream=out)
    text = out.getvalue()
    assert "Ordered by: call count" in text and "(leaf)" in text and "was called by" in text
    assert "called..." in text
    assert run.sort_stats("cumulative", "name").fcn_list[0][2] == "program"
    RUNS["nothing"]().print_stats(stream=out)


def test_what_is_printed_does_not_control_the_terminal():
    out = io.StringIO()
    RUNS["regions"]().print_stats(stream=out)
    assert "\x1b" not in out.getvalue()


def test_rows_of_functions():
    run = functions()
    rows = {row["name"]: row for row in run.functions()}
    leaf = rows["export_runs.leaf"]
    assert leaf["function"].endswith(f"export_runs.py:{leaf['line']}(leaf)")
    assert leaf["calls"] == run["export_runs.leaf"].num_calls
    assert [row["own"] for row in rows.values()] == sorted(
        (row["own"] for row in rows.values()), reverse=True)
    callers = run.callers("leaf")
    assert sum(row["calls"] for row in callers) == leaf["calls"]
    assert sum(row["total"] for row in callers) == pytest.approx(leaf["total"])
    assert {row["caller"].rpartition("(")[2] for row in callers} == {"program)", "recursive)", "side)"}
    assert run.callers(leaf["function"]) == callers == run.callers("export_runs.leaf")
    assert {row["callee"] for row in run.callees("recursive")} == {leaf["function"]}
    with pytest.raises(KeyError, match="no function is called 'nobody'"):
        run.callees("nobody")
