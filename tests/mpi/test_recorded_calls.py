"""Calls of MPI as regions: names, stand-ins for communicators, and real ones under mpiexec."""

import sys
import types

import numpy as np
import pytest

from conftest import NEEDS_H5PY
from mpi_support import NEEDS_MPI, mpiexec
import scope_profiler as sp


@pytest.mark.parametrize(("settings", "name"), [
    ({}, "mpi:send kind=point-to-point bytes=-1 peer=-1 root=-1 tag=-1 comm=-1"),
    ({"bytes": 8, "peer": 1, "tag": 3, "communicator": 2},
     "mpi:send kind=point-to-point bytes=8 peer=1 root=-1 tag=3 comm=2"),
])
def test_names_are_those_of_0_7_5(settings, name):
    assert sp.format_mpi_region("send", **settings) == name
    call = sp.parse_mpi_region(name)
    assert call.operation == "send" and call.bytes == settings.get("bytes", -1)
    assert sp.format_mpi_region("wait", request="isend") == (
        "mpi:wait kind=wait bytes=-1 peer=-1 root=-1 tag=-1 comm=-1 request=isend")
    assert sp.parse_mpi_region(sp.format_mpi_region("wait", request="isend")).request == "isend"


@pytest.mark.parametrize("name", ["a", "mpi:send", "mpi:x kind=z", "", "mpi:send kind=p bytes=x"])
def test_other_names_are_of_no_call(name):
    assert sp.parse_mpi_region(name) is None
    with pytest.raises(TypeError, match="operation takes a str, got int: 3"):
        sp.format_mpi_region(3)


class Datatype:
    def Get_size(self):
        return 8


@pytest.mark.parametrize(("value", "size", "unpickled"), [
    (b"abc", 3, 3), (np.zeros(4), 32, 32), ([1], 17, -1), (None, -1, -1), (3, 5, -1),
    ([np.zeros(4), 2, Datatype()], 16, 16), ([np.zeros(4), Datatype()], 32, 32),
    ([np.zeros(4), None], 32, 32), ([np.zeros(4), [1, 2], Datatype()], 24, 24),
    ([np.zeros(4), ([1, 2], [0, 1]), Datatype()], 24, 24), (lambda: 0, -1, -1),
])
def test_sizes_of_messages(value, size, unpickled):
    assert sp.message_nbytes(value) == size
    assert sp.message_nbytes(value, pickle_objects=False) == unpickled


class Request:
    def wait(self, status=None):
        return "message"

    def Test(self):
        return True


class Communicator:
    """What programs have in the place of mpi4py in their own tests."""

    size = 2

    def Get_rank(self):
        return 0

    def send(self, obj, dest, tag=0):
        return ("send", obj, dest, tag)

    def irecv(self, buf=None, source=-1, tag=-1):
        return Request()

    def Allreduce(self, sendbuf, recvbuf, op=None):
        raise RuntimeError("broken")

    def Split(self, color=0):
        return Communicator()


def names():
    return list(sp.recorded_regions())


def test_a_stand_in_is_wrapped():
    sp.setup(output=None)
    world = sp.profile_mpi_comm(Communicator(), pickle_object_sizes=True)
    assert isinstance(world, sp.ProfiledMPIComm) and world.size == 2
    assert sp.profile_mpi_comm(world) is world
    assert world.send("x", 1, tag=7) == ("send", "x", 1, 7) and world.send("x", dest=1) == ("send", "x", 1, 0)
    request = world.Split().irecv(source=1)
    assert isinstance(request, sp.ProfiledMPIRequest) and request.Test() and request.wait() == "message"
    with pytest.raises(RuntimeError, match="broken"):
        world.Allreduce(b"1234", bytearray(4))
    with pytest.raises(AttributeError, match="nonsense"):
        world.nonsense
    said = [sp.parse_mpi_region(name) for name in names()]
    assert {call.operation for call in said} == {"send", "irecv", "wait", "allreduce"}
    assert [call[2:6] for call in said if call.operation == "send"] == [(16, 1, -1, 7), (16, 1, -1, 0)]
    allreduce = next(call for call in said if call.operation == "allreduce")
    assert allreduce.bytes == 4 and allreduce.kind == "collective"
    assert next(call for call in said if call.operation == "wait").request == "irecv"
    region = sp.get_region(sp.format_mpi_region(**{
        field: value for field, value in allreduce._asdict().items() if field != "kind"}))
    assert region.tags[:3] == ("mpi", "mpi.kind:collective", "mpi.operation:allreduce")


def test_communicators_are_recorded_while_it_is_on():
    sp.setup(output=None)
    module = types.SimpleNamespace(COMM_WORLD=Communicator(), COMM_SELF=Communicator())
    before = module.COMM_WORLD
    with pytest.raises(ZeroDivisionError), sp.profile_mpi4py(module):
        module.COMM_WORLD.send("x", 1)
        raise ZeroDivisionError
    assert module.COMM_WORLD is before and len(names()) == 1
    with pytest.raises(TypeError, match="lazy takes True or False"), sp.profile_mpi4py(lazy=3):
        pass


def test_waiting_for_an_import_leaves_nothing_behind():
    finders = list(sys.meta_path)
    known = "mpi4py.MPI" in sys.modules
    with sp.profile_mpi4py(lazy=True):
        pass
    assert sys.meta_path == finders and ("mpi4py.MPI" in sys.modules) == known


def test_sizes_are_not_told_apart_for_ever(monkeypatch):
    from scope_profiler.mpi import recorded_calls

    monkeypatch.setattr(recorded_calls, "_names", {})
    monkeypatch.setattr(recorded_calls, "MOST_REGIONS", 3)
    sp.setup(output=None)
    world = sp.profile_mpi_comm(Communicator())
    for length in range(10):
        world.send(bytes(length), 1)
    assert len(names()) == 4 and any("bytes=-1" in name for name in names())


PROGRAM = """
import sys, threading
import scope_profiler as sp
sp.setup(file_path="run.h5", profile_mpi_calls=True)
from mpi4py import MPI  # after setup(): COMM_WORLD is recorded from its import on
import numpy as np
def abort(kind, *exception):
    sys.__excepthook__(kind, *exception)
    MPI.COMM_WORLD.Abort(1)
sys.excepthook = abort
world = MPI.COMM_WORLD
rank, size = world.rank, world.size
assert isinstance(world, MPI.Intracomm) and isinstance(world, sp.ProfiledMPIComm)
half = world.Split(rank % 2)           # {0, 2} and {1, 3}
assert isinstance(half, sp.ProfiledMPIComm)
data, got = np.zeros(100), np.zeros(100)
for _ in range(3):
    requests = [world.Isend(data, (rank + 1) % size, 5), world.Irecv(got, (rank - 1) % size, 5)]
    MPI.Request.Waitall(requests)
    world.Isend(data[:1], (rank + 1) % size).Wait() if rank == 0 else None
    world.Recv(got, 0) if rank == 1 else None
    half.send("x", 1) if half.rank == 0 else half.recv(source=0)
    half.Barrier()
    world.allreduce(1)
MPI.Win.Allocate(8, comm=world).Free()  # what takes communicators takes it
sp.finalize(verbose=False)
"""


@NEEDS_MPI
@NEEDS_H5PY
def test_real_communicators():
    mpiexec(4, PROGRAM)
    results = sp.load("run.h5")
    matrix = sp.communication_matrix(results)
    assert matrix.messages.tolist() == [[0, 6, 3, 0], [0, 0, 3, 3], [0, 0, 0, 3], [3, 0, 0, 0]]
    assert matrix.bytes.tolist() == [[0, 2424, 0, 0], [0, 0, 2400, 0], [0, 0, 0, 2400], [2400, 0, 0, 0]]
    assert matrix.unknown == 6  # objects
    rows = {(row["operation"], row["communicator"]): row for row in sp.collective_waits(results)}
    world = rows["allreduce", 0]
    assert world["ranks"] == [0, 1, 2, 3] and world["num_calls"] == 3
    halves = [row for (operation, _), row in rows.items() if operation == "barrier"]
    assert sorted(row["ranks"] for row in halves) == [[0, 2], [1, 3]]
    for row in rows.values():
        assert sum(row["last"].values()) == row["num_calls"]
        for rank in row["ranks"]:
            assert 0 <= row["waiting"][rank] <= row["total"][rank]
            assert row["transfer"][rank] == row["total"][rank] - row["waiting"][rank]
