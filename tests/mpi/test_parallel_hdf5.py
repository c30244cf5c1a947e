"""All ranks write the one file together, where h5py is built with MPI (Debian: python3-h5py-mpi)."""

from contextlib import chdir, suppress
from functools import partial
import json
import os
from pathlib import Path
import re
import subprocess

import numpy as np
import pytest

from conftest import NEEDS_H5PY
from mpi_support import NEEDS_MPIEXEC, mpiexec
import scope_profiler as sp
from test_gather import BEGIN, PEER, READ_BY_THE_PEER, oracle, recorded

#: Where Debian has it, for one of the Pythons.
_DEBIAN = "/usr/lib/python3/dist-packages"

pytestmark = [NEEDS_MPIEXEC, NEEDS_H5PY]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """mpiexec(), with what ranks need for an h5py with MPI in their environment."""
    look = "import h5py, mpi4py.MPI as mpi; assert h5py.get_config().mpi and mpi.COMM_WORLD.size == 2"
    given = os.environ.get("PYTHONPATH")
    for path in (given, os.pathsep.join(filter(None, (given, _DEBIAN)))):
        environment = {} if path is None else {"PYTHONPATH": path}
        with chdir(tmp_path_factory.mktemp("look")), suppress(AssertionError):
            mpiexec(2, look, **environment)
            return partial(mpiexec, **environment)
    pytest.skip("there is no h5py with MPI here (Debian: python3-h5py-mpi)")


BOTH = BEGIN + """
import shutil
from scope_profiler.io import hdf5_parallel
sp.setup(file_path="run.h5", parallel_hdf5=True)
work()
with sp.metadata(rank=rank), sp.region("noted"):
    pass
if rank == 2:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
finalize()
if rank == 0:
    shutil.copy("run.h5", "together.h5")
world.Barrier()
hdf5_parallel.is_possible = lambda: False
finalize()
"""


def columns(path):
    """What there is of calls, regions and trees: {name: array}."""
    h5py = pytest.importorskip("h5py")
    found = {}

    def look(name, node):
        if isinstance(node, h5py.Dataset) and not name.endswith(("facts", "extended_statistics")):
            found[name] = node[()]

    with h5py.File(path, "r") as file:
        file.visititems(look)
    return found


def test_the_file_is_that_of_gathering(run):
    said, complaints = run(4, BOTH)
    ways = re.findall(r"4 of 4 ranks, .*\.", said)
    assert ways == ["4 of 4 ranks, written together by parallel HDF5.", "4 of 4 ranks, gathered by MPI."]
    assert complaints == "" and {path.name for path in Path(".").glob("*.h5")} == {"run.h5", "together.h5"}
    together, gathered = columns("together.h5"), columns("run.h5")
    assert together.keys() == gathered.keys()
    for name, values in gathered.items():
        assert values.dtype == together[name].dtype, name
        np.testing.assert_array_equal(together[name], values, name)
    assert {"start_deltas", "thread_ids", "node_ids", "metadata_ids"} <= {
        name.removeprefix("events/") for name in together}
    results = sp.load("together.h5")
    assert recorded(results) == oracle(range(4))
    assert results["noted"][3].event_metadata[0] == {"rank": 3}


    if PEER:
        theirs = json.loads(subprocess.check_output([PEER, "-c", READ_BY_THE_PEER, "together.h5"], text=True))
        assert {(name, rank): calls for name, rank, calls, _ in theirs} == {
            key: calls for key, (calls, _) in oracle(range(4)).items()}


#: Files that rank 0 gathers, each for a reason.
GATHERED = BEGIN + """
from contextlib import suppress
from unittest.mock import patch
from scope_profiler.io import hdf5_parallel
failure = ValueError("no room here")

def one(name, broken=None, **settings):
    sp.setup(output=f"{name}.h5", **{"parallel_hdf5": True, "replace": True, "mpi_timeout": 30, **settings})
    work()
    with patch.object(hdf5_parallel, *broken) if broken and rank == 2 else suppress():
        results = sp.finalize(return_results=True)
    if rank == 0:
        assert results["step"].num_calls_per_rank() == {0: 3, 1: 4, 2: 5}, results["step"]

def fail(*_):
    raise failure

one("unplanned", ("RankCalls", fail))
one("unwritten", ("values_of", fail))  # when all have opened the file
one("unable", ("is_possible", lambda: False))
one("few", parallel_hdf5=None)
one("unwanted", parallel_hdf5=False)
one("compressed", hdf5_compression="gzip")
world.Barrier()
sp.setup(output="missing.h5", replace=True, parallel_hdf5=True, mpi_timeout=3)
work()
if rank != 2:
    sp.finalize()
world.Barrier()
"""


def test_where_ranks_cannot_write_together_rank_0_gathers(run):
    said, complaints = run(3, GATHERED)
    said = " ".join(said.split())
    assert said.count("3 of 3 ranks, gathered by MPI.") == 6 and "written together" not in said
    assert said.count("Not written by parallel HDF5: rank 2: ValueError: no room here.") == 2
    assert "2 of 3 ranks, gathered by MPI. Rank 2 is missing" in said
    assert complaints == "scope-profiler: 10 calls not written, as nobody called finalize(); " \
        "setup(auto_finalize=True) does so at the end\n"  # of rank 2
    names = ("unplanned", "unwritten", "unable", "few", "unwanted", "compressed")
    for name in names:
        results = sp.load(f"{name}.h5")
        assert results["step"].num_calls_per_rank() == {0: 3, 1: 4, 2: 5} and len(results["odd"][1]) == 4
        assert results["step"][2].start_times_ns.all()  # the calls are there
    assert sp.load("missing.h5")["step"].num_calls_per_rank() == {0: 3, 1: 4}
    assert not [path.name for path in Path(".").iterdir() if "rank" in path.name or path.name[0] == "."]


CLOCKS = BEGIN + """
import socket
import numpy as np
from scope_profiler._run import ranks, run_file
from scope_profiler.mpi import clocks, gather
from scope_profiler.results import at_times
if rank == 1:  # on another machine, whose clock is elsewhere
    there = lambda ns: ns + 10**15
    socket.gethostname = lambda: "elsewhere"
    clocks.now_ns = lambda now=clocks.now_ns: there(now())
    write, plan = run_file.RunFile.write, ranks._plan
    run_file.RunFile.write = lambda self, results: write(self, at_times(results, there))
    ranks._plan = lambda results, rank: plan(at_times(results, there), rank)
sp.setup(file_path="run.h5", parallel_hdf5=True)
work()
finalize()
"""


def test_calls_of_other_machines_are_put_on_the_clock_of_rank_0(run):
    said, _ = run(2, CLOCKS)
    assert "2 of 2 ranks, written together by parallel HDF5." in said and "Clocks of other machines" in said
    results = sp.load("run.h5")
    step = results["step"]
    first = step[1].start_times_ns[0]
    assert abs(first - step[0].start_times_ns[0]) < 10**14
    # Rank 0 has made this of what it was told; ticks become ns in another way there.
    assert abs(first - results.recorded[1].nodes[0].first_ns) < 10**6
