"""Facts about a run."""

import datetime
import os
import platform

from scope_profiler._run.run_metadata import collect_metadata


def test_metadata_has_the_facts_and_nothing_private():
    facts = collect_metadata("night", start_time_ns=5, finalize_time_ns=9, mpi_size=4, num_nodes=2)
    assert set(facts) == set(
        "timestamp platform chip_information python_version scope_profiler_version "
        "omp_num_threads mpi_size num_nodes total_cores start_time_ns finalize_time_ns "
        "program_id process_id label".split()
    )
    assert (facts["start_time_ns"], facts["finalize_time_ns"], facts["label"]) == (5, 9, "night")
    assert (facts["mpi_size"], facts["num_nodes"]) == (4, 2)
    assert "label" not in collect_metadata()
    private = {os.environ.get("USER"), os.environ.get("HOSTNAME"), os.uname().nodename} - {None, ""}
    assert not any(str(value) in private for value in facts.values())


def test_full_metadata_tells_of_the_surroundings(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv("SECRET_TOKEN", "hidden")
    monkeypatch.setenv("PATH", "x" * 70_000)
    facts = collect_metadata(detail="full")
    assert facts["hostname"] == platform.node() and facts["working_directory"] == os.getcwd()
    assert facts["SLURM_JOB_ID"] == "17" and len(facts["PATH"]) == 60_000
    assert "hidden" not in facts.values() and facts["user"] and facts["uname"]
    assert collect_metadata().keys() < facts.keys()


def test_metadata_says_what_the_library_says(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    facts = collect_metadata()
    assert facts["platform"] == platform.platform()
    assert facts["python_version"] == platform.python_version()
    assert facts["omp_num_threads"] == 3
    now = datetime.datetime.now(datetime.timezone.utc)
    age = now - datetime.datetime.fromisoformat(facts["timestamp"])
    assert datetime.timedelta(0) <= age < datetime.timedelta(seconds=5)
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert collect_metadata()["omp_num_threads"] >= 1
