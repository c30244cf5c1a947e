"""processes.py and io/processes.py: the files of a program's processes, as one."""

import os
from pathlib import Path
import warnings

import numpy as np
import pytest
from results_support import region

import scope_profiler as sp
from scope_profiler import processes
from scope_profiler.results import (
    MPIRegion,
    ProfilingResults,
    TaskInfo,
    ThreadInfo,
    merge_processes,
)

LINES = {
    "region": "r", "filename": "f.py", "function": "f", "first_lineno": 1,
    "line_numbers": [2], "hits": [5], "times": [1.0], "unit": 1e-9,
}  # fmt: skip


def of_process(number, start_ns, calls=1, program="p", child=True, **regions):
    """The results of a process, with everything that results have."""
    begun = [(start_ns + 10 * n, start_ns + 10 * n + 5) for n in range(calls)]
    regions = {"r": region(*begun, thread_ids=[0] * calls, task_ids=[0] * calls), **regions}
    metadata = {"program_id": program, "process_id": number, "start_time_ns": start_ns,
                "timestamp": f"2025-01-01T00:00:{start_ns:09}", "mpi_size": 1}
    if child:
        metadata |= {"parent_process_id": 1, "process_name": f"Worker-{number}"}
    return ProfilingResults(
        {name: MPIRegion(name, {0: one}) for name, one in regions.items()},
        metadata,
        line_profile={0: [LINES]},
        threads={0: [ThreadInfo(0, 0, "MainThread", 70, 7, False, 2, None, 1)]},
        tasks={0: [TaskInfo(0, 0, "task", "T", "f", 0, 3, None, 1, 1, 1)]},
    )


def write(path, *arguments, **facts):
    sp.write_profile(of_process(*arguments, **facts), path)


# ---- Results


def test_each_process_is_a_rank():
    main = of_process(1, 1000, 2, child=False, main=region((999, 1900)))
    merged = merge_processes([main, of_process(8, 1500, 3), of_process(7, 1600, other=region())])
    assert merged.region_names == ["main", "r", "other"]
    assert merged["r"].num_calls_per_rank() == {0: 2, 1: 3, 2: 1}
    assert merged["main"].ranks == [0] and merged["other"].ranks == [2]
    assert merged["r"][1].start_times_ns.tolist() == [1500, 1510, 1520]
    assert merged.num_ranks == 3
    assert merged.metadata == {
        **main.metadata, "process_ids": ["1", "8", "7"],
        "process_names": ["", "Worker-8", "Worker-7"],
    }
    # Times of threads and tasks count from the begin of the run: now that of the first.
    assert [[row.rank, row.start_ns] for rank in range(3) for row in merged.threads[rank]] == [
        [0, 2], [1, 502], [2, 602]]
    assert [[row.rank, row.created_ns] for rank in range(3) for row in merged.tasks[rank]] == [
        [0, 3], [1, 503], [2, 603]]
    assert {rank: len(lines) for rank, lines in merged.line_profile.items()} == {0: 1, 1: 1, 2: 1}
    assert "(3 processes)" in merged.default_title()
    assert "(1 process)" in merge_processes([main]).default_title()
    assert main.threads[0][0].rank == 0 and main["r"].ranks == [0]


def test_a_process_of_several_ranks_keeps_them():
    two = ProfilingResults({"r": MPIRegion("r", {0: region((0, 1)), 1: region((0, 2))})})
    merged = merge_processes([of_process(1, 0), two, of_process(2, 5)])
    assert merged["r"].ranks == [0, 1, 2, 3] and merged.num_ranks == 4
    assert merged.metadata["process_ids"] == ["1", "", "", "2"]


def test_calls_of_processes_do_not_contain_each_other():
    inside = region((2, 3), thread_ids=[0], task_ids=[0])
    merged = merge_processes([of_process(1, 0, child=False), of_process(2, 1, inside=inside)])
    assert merged["r"].exclusive_duration_ns == 5 + 4
    assert [call["depth"] for call in merged.call_stack(0)] == [0]
    assert [call["depth"] for call in merged.call_stack(1)] == [0, 1]


# ---- Files


@pytest.mark.parametrize("suffix", [".h5", ".json", ".json.gz", ".HDF5"])
def test_the_files_of_a_run(suffix, capsys):
    if suffix in (".h5", ".HDF5"):
        pytest.importorskip("h5py")
    Path("folder").mkdir()
    path = f"folder/run.x{suffix}"
    write(path, 40, 1000, child=False)
    write(f"folder/run.x.7{suffix}", 7, 3000, 2)
    write(f"folder/run.x.88{suffix}", 88, 2000, 3)
    write(f"folder/run.x.9{suffix}", 9, 2000, 50, program="another")
    write(f"folder/run.x.10{suffix}", 10, 900, 50)     # of an earlier run of the same process
    for name in ("run.x.b", "run.y.7", "run.x.7.8", "run.x7", "arun.x.7"):
        write(f"folder/{name}{suffix}", 7, 2000, 50)
    results = sp.load_processes(path, verbose=True)
    assert results["r"].num_calls_per_rank() == {0: 1, 1: 3, 2: 2}
    assert results.metadata["process_ids"] == ["40", "88", "7"]
    assert str(results.file_path) == path
    assert capsys.readouterr().out.splitlines() == [
        f"{path}: process 40, rank 0",
        f"folder/run.x.88{suffix}: process 88, rank 1",
        f"folder/run.x.7{suffix}: process 7, rank 2",
        f"folder/run.x.10{suffix}: left out, it is of another run",
        f"folder/run.x.9{suffix}: left out, it is of another run",
    ]
    sp.write_profile(results, f"all{suffix}")
    again = sp.load(f"all{suffix}")
    assert again["r"].num_calls_per_rank() == {0: 1, 1: 3, 2: 2}
    assert again.metadata == results.metadata and again.num_ranks == 3
    assert sp.load_processes(f"folder/run.x.7{suffix}")["r"].num_calls == 2


def test_without_the_main_process():
    write("run.11.json", 11, 1000, 2, program="old")
    write("run.12.json", 12, 2500, 3)
    write("run.13.json", 13, 2000, 4)
    assert sp.load_processes("run.json")["r"].num_calls_per_rank() == {0: 4, 1: 3}


def test_a_file_that_does_not_know_its_program_is_alone():
    sp.write_profile(ProfilingResults({}), "run.json")
    sp.write_profile(ProfilingResults({"r": MPIRegion("r", {0: region((0, 1))})}), "run.1.json")
    assert sp.load_processes("run.json").region_names == []


def test_what_only_has_the_name_is_left_out():
    write("run.json", 1, 0, child=False)
    write("run.2.json", 2, 1)
    Path("run.2024.json").write_text('{"year": 2024}')
    with pytest.warns(UserWarning, match="load_processes left out run.2024.json: cannot read"):
        assert sp.load_processes("run.json").num_ranks == 2


def test_what_cannot_be_loaded():
    for path in ("run.json", "no/folder/run.h5"):
        with pytest.raises(FileNotFoundError, match=path):
            sp.load_processes(path)
    with pytest.raises(TypeError, match="path takes"):
        sp.load_processes(3)
    write("run.json", 1, 0, child=False)
    with pytest.raises(TypeError, match="verbose takes"):
        sp.load_processes("run.json", verbose="yes")
    Path("run.json").write_text("{")
    write("run.1.json", 1, 0)
    with pytest.raises(sp.JSONProfileError, match="run.json"), warnings.catch_warnings():
        sp.load_processes("run.json")


def test_runs_one_after_the_other_in_one_process():
    """The children's files of the first stay where they are."""
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork here")
    for calls in (1, 2):
        sp.setup(file_path="run.json", replace=True)
        if (child := os.fork()) == 0:
            try:
                for _ in range(calls):
                    with sp.region("child"):
                        pass
                sp.finalize(verbose=False)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        sp.finalize(verbose=False)
        results = sp.load_processes("run.json")
        assert results["child"].num_calls_per_rank() == {1: calls}
        assert results.metadata["process_ids"] == [str(os.getpid()), str(child)]
        assert np.all(results["child"][1].start_times_ns >= results.metadata["start_time_ns"])
    assert len(processes.beside("run.json")) == 2


# ---- Which process this is


def test_what_metadata_say_of_the_process(manager):
    facts = manager.get_config().metadata
    assert facts["process_id"] == os.getpid() and "parent_process_id" not in facts
    assert facts["program_id"] == processes.PROGRAM == os.environ["SCOPE_PROFILER_PROGRAM"]
    assert len(processes.PROGRAM) == 16


@pytest.mark.parametrize("path, parts", [
    ("a/b.h5", ("a/b", ".h5")), ("b", ("b", "")), ("b.c.json", ("b.c", ".json")),
    ("b.JSON.GZ", ("b", ".JSON.GZ")), ("a.b/c", ("a.b/c", "")), (".h5", (".h5", "")),
])
def test_what_tells_the_format(path, parts):
    assert processes.split(path) == parts


def test_a_main_process_writes_where_it_is_told():
    assert processes.own_path("x.h5") == "x.h5" and processes.own_path(Path("a/b")) == "a/b"
    assert not processes.is_worker() and not processes.is_child()
