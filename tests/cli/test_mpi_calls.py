"""scope-profiler mpi."""

import json

import pytest
from profiles import a_run, printed
from results_support import region

import scope_profiler as sp
from scope_profiler.cli import main
from scope_profiler.results import MPIRegion, ProfilingResults

MS = 10**6


def a_file(path="mpi.json"):
    """A file of four ranks: each step rank 2 comes last to a sum, which the others wait for."""
    late = {0: 0, 1: 1, 2: 9, 3: 3}
    work, sums, sends = {}, {}, {}
    for rank, more in late.items():
        begins = [step * 40 * MS for step in range(3)]
        work[rank] = region(*((at, at + (20 + more) * MS) for at in begins))
        sums[rank] = region(*((at + (20 + more) * MS, at + 30 * MS) for at in begins))
        sends[rank] = region(*((at + 30 * MS, at + 31 * MS) for at in begins))
    sums_of = sp.format_mpi_region("allreduce", bytes=8, communicator=0)
    regions = {"work": MPIRegion("work", work), sums_of: MPIRegion(sums_of, sums)}
    for rank in late:
        name = sp.format_mpi_region("send", bytes=1000 * (rank + 1), peer=(rank + 1) % 4, tag=0,
                                    communicator=0)
        regions[name] = MPIRegion(name, {rank: sends[rank]})
    facts = {"start_time_ns": 0, "finalize_time_ns": 120 * MS, "label": "waves", "mpi_size": 4}
    sp.write_profile(ProfilingResults(regions, facts), path)
    return path


def test_json(monkeypatch):
    text, _ = printed(monkeypatch, "mpi", a_file(), "--json")
    found = json.loads(text)
    [row] = found["collectives"]
    assert row["waiting"] == pytest.approx({"0": 0.027, "1": 0.024, "2": 0, "3": 0.018})
    assert row["last"] == {"0": 0, "1": 0, "2": 3, "3": 0}
    assert found["messages"][3] == {"from": 3, "to": 0, "messages": 3, "bytes": 12_000}
    path = found["critical_path"]
    assert path["by_rank"] == pytest.approx({"2": 0.109, "0": 0.002})
    assert path["pieces"][0]["operation"] is None and path["by_region"]["work"] == pytest.approx(0.087)


def test_without_calls_of_mpi(capsys):
    assert main(["mpi", a_run()]) == 2
    assert "run.json: there are no calls of MPI in it; record with --mpi-calls" in capsys.readouterr().err


def test_of_what_cannot_be_put_together(monkeypatch):
    name = sp.format_mpi_region("barrier", communicator=0)
    whole = MPIRegion(name, {0: region((0, 5), (6, 7)), 1: region((0, 5))})
    sp.write_profile(ProfilingResults({name: whole}), "odd.json")
    text, status = printed(monkeypatch, "mpi", "odd.json")
    assert not status and "–: a rank is missing or has made another number of calls" in text
    assert "Critical path" not in text and "Messages" not in text
