"""_runtime/processes.py, own_files.py and io/program_files.py: the files of a program's processes."""

import os
from pathlib import Path
import subprocess
import sys
import warnings

import numpy as np
import pytest
from results_support import region

import scope_profiler as sp
import scope_profiler.mpi_launch
from scope_profiler._base import file_names
from scope_profiler._runtime import launcher, own_files, processes
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
        "parent_process_ids": ["", "1", "1"], "parent_regions": ["", "", ""],
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
        write(f"folder/{name}{suffix}", 7, 2000, 50, program="another")
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
    assert len(file_names.beside("run.json")) == 2


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
    assert file_names.split(path) == parts


def test_a_main_process_writes_where_it_is_told():
    assert own_files.own_path("x.h5", {"rank": 0}) == ("x.h5", "x.h5")
    assert own_files.own_path(Path("a/b"), {"rank": 0}) == ("a/b", "a/b")
    assert not processes.is_worker() and not processes.is_child()


# ---- Processes that have no more in common than a path, and ranks

OVERLAPPING = """
import sys, scope_profiler as sp
run = sp.setup(file_path=sys.argv[1])
print("begun", flush=True)
for line in sys.stdin:
    with sp.region("r"): pass
    sp.finalize(verbose=False)
    print(run.file_path, flush=True)
"""


class Program:
    """A process with a run, which it finalizes when it is told to."""

    def __init__(self, path, **environment):
        self._process = subprocess.Popen(
            [sys.executable, "-c", OVERLAPPING, path], text=True, env={**os.environ, **environment},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._process.stdout.readline() == "begun\n"
        self.pid = self._process.pid

    def begin_to_finalize(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def written(self):
        return self._process.stdout.readline().strip()

    def finalize(self):
        self.begin_to_finalize()
        return self.written()

    def end(self):
        """What it has said on standard error."""
        _, said = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, said
        return said

    def kill(self):
        self._process.kill()
        self._process.communicate()


@pytest.mark.parametrize("suffix", [".h5", ".json"])
def test_processes_that_overlap_never_overwrite_each_other(suffix):
    if suffix == ".h5":
        pytest.importorskip("h5py")
    path = f"run{suffix}"
    first, second, third = Program(path), Program(path), Program(path)
    own = f"run.{second.pid}{suffix}"
    assert first.finalize() == path and second.finalize() == own
    assert [first.finalize(), second.finalize()] == [path, own]
    assert sp.load(path)["r"].num_calls == sp.load(own)["r"].num_calls == 2
    assert first.end() == ""
    assert f"another process writes to {path}: this one has written {own}" in second.end()
    assert third.finalize() == f"run.{third.pid}{suffix}"      # which had begun before
    third.kill()
    assert len(os.listdir()) == 3 and sp.load_processes(f"run*{suffix}").num_ranks == 3


@pytest.mark.parametrize("suffix", [".h5", ".json"])
def test_processes_that_end_at_one_moment(suffix):
    if suffix == ".h5":
        pytest.importorskip("h5py")
    programs = [Program(f"run{suffix}") for _ in range(4)]
    for program in programs:
        program.begin_to_finalize()
    paths = {program.written() for program in programs}
    assert len(paths) == 4 and f"run{suffix}" in paths and {*os.listdir()} == paths
    for program in programs:
        program.end()
    results = sp.load_processes(sorted(paths))
    assert results["r"].num_calls_per_rank() == dict.fromkeys(range(4), 1)


@pytest.mark.skipif(sys.platform != "linux", reason="there are no locks of open files here")
def test_the_file_of_who_lives_is_not_replaced():
    first = Program("run.json")
    first.finalize()
    second = Program("run.json")        # which sees that file when it begins
    assert second.finalize() == f"run.{second.pid}.json"
    first.kill()
    second.end()
    third = Program("run.json")         # nobody who would write again is there
    assert third.finalize() == "run.json" and third.end() == ""


def test_runs_one_after_the_other_replace_the_file():
    pytest.importorskip("h5py")
    for _ in range(2):
        program = Program("run.h5")
        assert program.finalize() == "run.h5" and program.end() == ""
        with sp.session(file_path="run.h5", verbose=False):
            pass
        sp.setup(file_path="run.h5", replace=True)
        sp.finalize(verbose=False)
        sp.reset()
    assert os.listdir() == ["run.h5"]


@pytest.mark.parametrize("launcher", [
    {"OMPI_COMM_WORLD_RANK": "R", "OMPI_COMM_WORLD_SIZE": "3", "SLURM_PROCID": "0"},
    {"PMI_RANK": "R", "PMI_SIZE": "3"}, {"PALS_RANKID": "R"},
    {"SLURM_PROCID": "R", "SLURM_NTASKS": "3", "SLURM_JOB_ID": "77"},
    {"RANK": "R", "WORLD_SIZE": "3", "TORCHELASTIC_RUN_ID": "none"},
])
def test_ranks_of_a_job(launcher):
    def rank(number):
        return Program("run.json", **{k: v.replace("R", str(number)) for k, v in launcher.items()})

    ranks = [rank(number) for number in (2, 0, 1)]
    assert [one.finalize() for one in ranks] == ["run.rank2.json", "run.json", "run.rank1.json"]
    ranks[0].finalize()
    for one in ranks:
        assert one.end() == ""
    results = sp.load_processes("run.json")
    assert results["r"].num_calls_per_rank() == {0: 1, 1: 1, 2: 2}
    assert results.metadata["process_ids"] == [str(ranks[n].pid) for n in (1, 2, 0)]


def test_what_ranks_are_not(monkeypatch):
    for name in list(os.environ):
        if "RANK" in name or "SLURM" in name:
            monkeypatch.delenv(name)
    monkeypatch.setenv("RANK", "3")         # of whatever
    assert launcher.rank() is None and launcher.facts() == {}
    monkeypatch.setenv("SLURM_PROCID", "x")
    assert launcher.rank() is None
    monkeypatch.setenv("SLURM_PROCID", "4")
    assert launcher.facts() == {"rank": 4}
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "2")
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "8")
    monkeypatch.setenv("OMPI_COMM_WORLD_LOCAL_RANK", "1")
    assert launcher.facts() == {"rank": 2, "launched_ranks": 8, "local_rank": 1}
    assert sp.mpi_launch.launched_under_mpi()
    monkeypatch.setenv("SCOPE_PROFILER_MPI", "off")
    assert launcher.rank() is None and launcher.facts() == {}
    assert not sp.mpi_launch.launched_under_mpi() and sp.mpi_launch.get_comm() is None
    monkeypatch.setenv("SCOPE_PROFILER_MPI", "whatever")
    assert launcher.rank() == 2
    monkeypatch.delenv("OMPI_COMM_WORLD_RANK")
    fields = own_files.fields(3, 0)
    assert own_files.own_path("run.h5", fields)[0] == "run.rank4.h5"
    assert own_files.own_path("{rank:03}-{run}{{}}.h5", fields)[0] == "004-3{}.h5"


@pytest.mark.parametrize("path", ["{nonsense}.h5", "{}.h5", "{0}.h5", "a{.h5", "a}.h5", "{pid.x}.h5"])
def test_fields_that_are_not_known(path):
    with pytest.raises(ValueError, match=r"it takes \{pid\}, \{rank\}, \{host\}, \{time\}, \{run\}"):
        sp.setup(file_path=path, replace=True)


def test_fields():
    numbers = []
    for _ in range(2):
        with sp.session(file_path="a-{pid}-{run}-{host}-{time}.json", verbose=False) as session:
            pass
        assert Path(session.file_path).exists()
        pid, number = session.file_path.split("-")[1:3]
        assert int(pid) == os.getpid()
        numbers.append(int(number))
    assert numbers[1] == numbers[0] + 1


def test_several_results_as_ranks():
    sets = [of_process(1, 0, 1, child=False), of_process(2, 0, 2), of_process(3, 0, 3)]
    merged = sp.merge_results(*sets, ranks=True, label="all")
    assert merged["r"].num_calls_per_rank() == {0: 1, 1: 2, 2: 3} and merged.label == "all"
    for rank, results in zip((2, 0, 5), sets):
        results._metadata["rank"] = rank
    merged = sp.merge_results(*sets, ranks=True)
    assert merged["r"].num_calls_per_rank() == {0: 2, 2: 1, 5: 3}
    assert merged.metadata["process_ids"] == ["2", "", "1", "", "", "3"]


def test_patterns_and_lists_of_files():
    for number in (3, 1, 2):
        write(f"gu.{number}.json", number, number, number, program=str(number))
    for path in ("gu*.json", ["gu.1.json", Path("gu.2.json"), "gu.3.json"]):
        assert sp.load_processes(path)["r"].num_calls_per_rank() == {0: 1, 1: 2, 2: 3}
    with pytest.raises(FileNotFoundError, match=r"no\*"):
        sp.load_processes("no*.h5")
    with pytest.raises(ValueError, match="at least one path"):
        sp.load_processes([])


def test_percentiles_of_processes_in_aggregation_mode():
    pytest.importorskip("h5py")
    for number in (1, 2):
        manager = sp.ProfileManager()
        manager.setup(file_path=f"a{number}.h5", aggregation_mode=True)
        for _ in range(100):
            with manager.region("r"):
                sum(range(100))     # as an empty block may take 0 ns
        manager.finalize(verbose=False)
    merged = sp.load_processes("a*.h5")["r"]
    assert merged.num_calls == 200 and merged[0].num_events == 0
    for results in (merged, merged[0], merged[1]):
        assert 0 < results.min_duration <= results.p50_duration <= results.max_duration
