"""finalize() on the ranks of an MPI job, under a real mpiexec."""

import json
import os
from pathlib import Path
import re
import subprocess

import pytest

from conftest import NEEDS_H5PY
from mpi_support import NEEDS_MPI, mpiexec
import scope_profiler as sp

pytestmark = [NEEDS_MPI, NEEDS_H5PY]

#: Each rank writes what it has recorded as it knows it itself, in oracle<rank>.json.
BEGIN = """
import json, os, sys, threading
from mpi4py import MPI
import scope_profiler as sp
world = MPI.COMM_WORLD
rank = world.rank

def abort(kind, *exception):  # others would wait for this one
    sys.__excepthook__(kind, *exception)
    world.Abort(1)

sys.excepthook = abort
threading.excepthook = lambda failed: abort(*failed[:3])

def work():
    for step in range(3 + rank):
        with sp.region("step"):
            with sp.region("inner"):
                sum(range(100))
            if rank % 2:
                with sp.region("odd"):
                    pass

def finalize(**settings):
    results = sp.finalize(return_results=True, **settings)
    assert results.is_root == (rank == 0), results
    own = {each.name: each[rank] for each in results if rank in each}
    known = {name: [each.num_calls, each.total_duration_ns] for name, each in own.items()}
    with open(f"oracle{rank}.json", "w") as file:
        json.dump(known, file)
    return results
"""

WHOLE = BEGIN + """
half = world.Split(rank % 2)
assert sp.setup(file_path="run.h5").file_path == ("run.h5" if rank == 0 else f"run.rank{rank}.h5")
work()
half.Barrier()
finalize()
world.Barrier()
assert sp.read_results().num_ranks == 4  # on all ranks
work()
thread = threading.Thread(target=finalize, kwargs={"verbose": False})
thread.start()
thread.join()
world.Barrier()
sp.setup(output="run.json", replace=True)
work()
sp.finalize(verbose=False)
sp.setup(output=None, replace=True)
work()
results = sp.finalize(return_results=True, verbose=False)
if rank == 0:
    assert results["step"].num_calls_per_rank() == {0: 3, 1: 4, 2: 5, 3: 6}, results["step"]
"""


PEER = os.environ.get("SCOPE_PROFILER_PEER_PYTHON")

READ_BY_THE_PEER = """
import json, sys, scope_profiler as sp
results = sp.load(sys.argv[1])
print(json.dumps([[region.name, rank, region[rank].num_calls, region[rank].total_duration]
                  for region in results for rank in region]))
"""


def oracle(ranks):
    known = {rank: json.loads(Path(f"oracle{rank}.json").read_text()) for rank in ranks}
    return {(name, rank): tuple(row) for rank, rows in known.items() for name, row in rows.items()}


def recorded(results):
    return {(region.name, rank): (region[rank].num_calls, region[rank].total_duration_ns)
            for region in results for rank in region}


def test_one_result_of_all_ranks():
    said, complaints = mpiexec(4, WHOLE)
    results = sp.load("run.h5")
    assert recorded(results) == oracle(range(4))
    assert results["step"].num_calls_per_rank() == {0: 6, 1: 8, 2: 10, 3: 12}
    assert results["odd"].ranks == [1, 3] and results["odd"].num_calls == 20
    assert results.metadata["mpi_size"] == 4 and results.num_nodes == 1
    assert results.metadata["nodes"] == ["0"] * 4
    assert {rank: results.recorded[rank].nodes[0].name for rank in range(4)} == dict.fromkeys(
        range(4), "step")
    assert sp.load("run.json")["step"].num_calls_per_rank() == {0: 3, 1: 4, 2: 5, 3: 6}
    assert not [*Path(".").glob("*.rank*")] and complaints == ""
    assert said.count("scope-profiler: run.h5 (4 ranks)") == 1
    assert "4 of 4 ranks, gathered by MPI." in said
    assert re.search(r"^step +0-3 +18 ", said, re.M) and re.search(r"odd +1,3 +10 ", said)


@pytest.mark.skipif(not PEER, reason="there is no 0.7.5 here")
def test_0_7_5_reads_the_merged_file():
    mpiexec(2, BEGIN + """
sp.setup(file_path="run.h5")
work()
finalize(verbose=False)
""")
    said = subprocess.check_output([PEER, "-c", READ_BY_THE_PEER, "run.h5"], text=True)
    theirs = {(name, rank): (calls, round(total * 1e9)) for name, rank, calls, total in json.loads(said)}
    ours = oracle(range(2))
    assert {key: calls for key, (calls, _) in theirs.items()} == {
        key: calls for key, (calls, _) in ours.items()}
    for key, (calls, total) in ours.items():  # single calls are rounded and put on the clock one by one
        assert abs(theirs[key][1] - total) <= calls + total * 1e-5


SENT = BEGIN + """
from scope_profiler.mpi import gather, messages
messages.PIECE = 1000
class Elsewhere(gather._Announced):
    def visible(self):
        return None if "rank0" not in self.path and f".{os.getpid()}" not in self.path else super().visible()
gather._Announced = Elsewhere
sp.setup(file_path="run.h5")
work()
finalize(verbose=rank == 0)
"""


def test_files_that_rank_0_does_not_see_are_sent_in_pieces():
    said, _ = mpiexec(3, SENT)
    assert recorded(sp.load("run.h5")) == oracle(range(3))
    assert re.search(r"3 of 3 ranks, gathered by MPI, \d+ bytes of it sent\.", said)
    assert [path.name for path in Path(".").glob("run*")] == ["run.h5"]


MISSING = BEGIN + """
sp.setup(file_path="run.h5", mpi_timeout=3)
work()
if rank != int(sys.argv[1]):
    results = sp.finalize(return_results=True)
    if rank == 0:
        assert results.metadata["missing_ranks"] == [sys.argv[1]]
        assert results.metadata["missing"][0].startswith(f"rank {sys.argv[1]}: it did not come")
    else:
        assert results.is_root == (sys.argv[1] == "0")
world.Barrier()
"""


def test_a_rank_that_does_not_come_is_named():
    said, _ = mpiexec(3, MISSING, "2")
    assert sp.load("run.h5")["step"].num_calls_per_rank() == {0: 3, 1: 4}
    assert "(2 of 3 ranks)" in said and "2 of 3 ranks, gathered by MPI." in said
    assert "Rank 2 is missing: it did not come to finalize() within 3 s." in said
    assert not [*Path(".").glob("*.rank*")]


def test_without_rank_0_each_keeps_its_file():
    said, complaints = mpiexec(3, MISSING, "0")
    assert "scope-profiler" not in said and "rank 1 is not in the results of rank 0" in complaints
    assert {path.name for path in Path(".").glob("run*")} == {"run.rank1.h5", "run.rank2.h5"}
    merged = sp.load("run*.h5")
    assert merged["step"].num_calls_per_rank() == {1: 4, 2: 5}
    assert merged.num_ranks == 3 and merged.metadata["missing_ranks"] == ["0"]
    assert "(2 of 3 ranks)" in merged.default_title()


ALONE = """
import sys
import scope_profiler as sp
sp.setup(file_path="run.h5")
with sp.region("r"): pass
sp.finalize()
assert not {name for name in sys.modules if "mpi4py" in name}
"""


def test_without_mpi4py_each_rank_has_a_file_which_are_merged():
    said, _ = mpiexec(3, ALONE)
    assert "Rank 0 of 3 alone, as the program has not imported mpi4py" in said
    assert "scope-profiler merge run.h5 'run.rank*.h5' -o all.h5" in said
    assert said.count("scope-profiler: run") == 1  # rank 0 alone prints
    for merged in (sp.load("run*.h5"), sp.load_processes("run.h5")):
        assert merged["r"].num_calls_per_rank() == {0: 1, 1: 1, 2: 1}
        assert merged.metadata["mpi_size"] == 3 and "(3 ranks)" in merged.default_title()


KILLED = BEGIN + """
import signal
sp.setup(file_path="run.h5", journal=True, auto_finalize=True)
work()
world.Barrier()
if rank == 2:
    HOW
world.Barrier()
"""


@pytest.mark.parametrize("how", ["os.kill(os.getpid(), signal.SIGKILL)", "world.Abort(3)"])
def test_a_rank_that_dies_does_not_take_the_data_of_others(how):
    mpiexec(4, KILLED.replace("HOW", how), status=None)
    merged = sp.load("run*")
    assert merged["step"].num_calls_per_rank() == {0: 3, 1: 4, 2: 5, 3: 6}


APART = BEGIN + """
half = world.Split(rank % 2, -rank)    # {2, 0} and {3, 1}, in that order
name = f"half{rank % 2}.h5"
run = sp.setup(file_path=name, comm=half, journal=True, profile_mpi_calls=True)
world = MPI.COMM_WORLD
assert run.file_path == (name if half.rank == 0 else f"half{rank % 2}.rank1.h5"), run.file_path
assert sp.get_config().comm is half
work()
world.send("to the next", (rank + 1) % 4), world.recv()
world.barrier()
recorded = sp.profile_mpi_comm(half)
recorded.Barrier()
results = sp.finalize(return_results=True, verbose=half.rank == 0)
assert results.is_root == (half.rank == 0)
sp.setup(output="whole.h5", replace=True, comm=recorded.Dup())
half.Free()
world.Barrier()
work()
sp.get_config().comm.Free()
assert sp.finalize(return_results=True, verbose=False).num_ranks
sp.setup(output=None, replace=True, comm=MPI.COMM_SELF)
work()
assert sp.finalize(return_results=True)["step"].num_calls == 3 + rank
for wrong, why in ((3, "comm takes a communicator of mpi4py, got int: 3"),
                   (MPI.COMM_NULL, "that this process is a rank of")):
    try:
        sp.setup(comm=wrong, replace=True)
    except (TypeError, ValueError) as error:
        assert why in str(error), error
    else:
        raise AssertionError(wrong)
"""


def test_each_communicator_has_a_result():
    said, complaints = mpiexec(4, APART)
    for half, members in enumerate(((2, 0), (3, 1))):
        results = sp.load(f"half{half}.h5")
        assert results["step"].num_calls_per_rank() == {0: 3 + members[0], 1: 3 + members[1]}
        assert results.metadata["world_ranks"] == [*map(str, members)]
        assert results.metadata["world_size"] == 4 and results.num_ranks == 2
        assert "missing_ranks" not in results.metadata and "world_rank" not in results.metadata
        # What COMM_WORLD calls 0 is here rank 1, and messages to the other half go nowhere in it.
        assert sp.communication_matrix(results).messages.tolist() == [[0, 0], [0, 0]]
        assert sp.communication_matrix(results).unknown == 2
        row = {row["communicator"]: row for row in sp.collective_waits(results)}
        assert row.pop(0)["waiting"] is None and len(row) == 1
        assert [*row.popitem()[1]["waiting"]] == [0, 1]
    assert said.count("2 of 2 ranks, gathered by MPI.") == 2
    # Those whose communicator is gone keep their files: two ranks 0 wanted the name.
    assert len([*Path(".").glob("whole*.h5")]) == 4


UNUSUAL = """
import mpi4py
mpi4py.rc.finalize = False
""" + BEGIN + """
assert MPI.Query_thread() == MPI.THREAD_MULTIPLE
sp.setup(file_path="run.h5", profile_mpi_calls=True, auto_finalize=True)
world = MPI.COMM_WORLD
own = [world.Dup() for _ in range(4)]

def talk(comm):
    with sp.region("talk"):
        for _ in range(20):
            comm.send(rank, 1 - rank)
            comm.recv(source=1 - rank)

threads = [threading.Thread(target=talk, args=(comm,)) for comm in own]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
open("child.py", "w").write(sys.argv[1])
spawned = world.Spawn(sys.executable, ["child.py"], 2)
work()
spawned.Barrier()
"""

#: What an MPI process starts, of a world of its own.
SPAWNED = """
from mpi4py import MPI
import scope_profiler as sp
sp.setup(file_path="spawned.h5")
with sp.region("child"):
    pass
MPI.Comm.Get_parent().Barrier()
sp.finalize(verbose=MPI.COMM_WORLD.rank == 0)
"""


def test_threads_that_talk_a_program_that_never_finalizes_mpi_and_processes_that_it_spawns():
    said, _ = mpiexec(2, UNUSUAL, SPAWNED, status=None)  # mpiexec takes it amiss
    results = sp.load("run.h5")
    assert results["talk"].num_calls_per_rank() == {0: 4, 1: 4} and results.num_ranks == 2
    assert results["step"].num_calls_per_rank() == {0: 3, 1: 4}
    assert sum(each.num_calls for each in results if each.name.startswith("mpi:send ")) == 2 * 4 * 20
    assert sp.load("spawned.h5")["child"].num_calls_per_rank() == {0: 1, 1: 1}
    assert said.count("2 of 2 ranks, gathered by MPI.") == 2


SERIALIZED = """
import mpi4py
mpi4py.rc.thread_level = "serialized"
""" + BEGIN + """
sp.setup(file_path="run.h5")
work()
thread = threading.Thread(target=sp.finalize)
thread.start()
thread.join()
"""


def test_a_thread_that_may_not_use_mpi_leaves_a_file():
    said, _ = mpiexec(2, SERIALIZED)
    assert "Rank 0 of 2 alone, as MPI was begun without THREAD_MULTIPLE, and this is not its thread" in (
        " ".join(said.split()))
    assert sp.load("run*.h5")["step"].num_calls_per_rank() == {0: 3, 1: 4}
