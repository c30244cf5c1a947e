"""Which rank of a job this process is, and of how many: as the launcher of an MPI job, of Slurm tasks or
of torchrun says it in the environment, or else mpi4py, where the program has imported that. MPI is not
loaded for it, but where SCOPE_PROFILER_MPI asks for that."""

import os
import sys
from typing import NamedTuple

from .._base import environment


class _Launcher(NamedTuple):
    """Variables with the rank, the number of ranks, what all ranks of a job have alike, and the rank among
    those on the same machine."""

    rank: str
    size: str
    job: str
    local: str


LAUNCHERS = (
    _Launcher("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMIX_NAMESPACE",
              "OMPI_COMM_WORLD_LOCAL_RANK"),
    _Launcher("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_JOBID",
              "MV2_COMM_WORLD_LOCAL_RANK"),
    _Launcher("PALS_RANKID", "PMI_SIZE", "PALS_APID", "PALS_LOCAL_RANKID"),
    _Launcher("PMI_RANK", "PMI_SIZE", "PMI_JOBID", "MPI_LOCALRANKID"),
    _Launcher("SLURM_PROCID", "SLURM_NTASKS", "SLURM_JOB_ID", "SLURM_LOCALID"),
    _Launcher("RANK", "WORLD_SIZE", "TORCHELASTIC_RUN_ID", "LOCAL_RANK"),
)

#: Others set it as well, and not for this.
_COMMON = "RANK"

#: "0": this process is no rank of anything. "1": it is one of MPI, whatever the launcher says.
_OVERRIDE = "SCOPE_PROFILER_MPI"


class Place(NamedTuple):
    """The place of this process in a job.

    rank, size: None for an unknown size.
    job: What all ranks of the job have alike, or None.
    local_rank: The rank among those on the same machine, or None.
    """

    rank: int
    size: int | None
    job: str | None
    local_rank: int | None


def place(members=None):
    """The Place of this process, or None where it is in no job. members: The setting `comm` of a run, whose
    ranks count instead of those of the job."""
    if members is not None:
        job = place()
        return Place(members.rank, members.size, job and job.job, None)
    override = environment.known_flag(_OVERRIDE)
    if override is False:
        return None
    for launcher in LAUNCHERS:
        rank, size = _number(launcher.rank), _number(launcher.size)
        if rank is not None and (size is not None or launcher.rank != _COMMON):
            return Place(rank, size, os.environ.get(launcher.job), _number(launcher.local))
    world = communicator(load=override is True)
    if world is None or override is None and world.Get_size() == 1:
        return None
    return Place(world.Get_rank(), world.Get_size(), None, None)


def rank(members=None):
    """The rank of this process, or None where no launcher says it. members: See place()."""
    known = place(members)
    return None if known is None else known.rank


def facts(members=None):
    """What the metadata of a run say of its rank: {name: int or str}, empty without a launcher.
    members: See place(); the rank in the whole job is "world_rank" then, of "world_size"."""
    known, job = place(members), place() if members is not None else None
    if known is None:
        return {}
    told = {"rank": known.rank, "launched_ranks": known.size, "job_id": known.job or None,
            "local_rank": known.local_rank, "world_rank": job and job.rank, "world_size": job and job.size}
    return {name: value for name, value in told.items() if value is not None}


#: How many ranks are on this machine, and on how many machines they are.
_LOCAL_SIZES = ("OMPI_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS",
                "PALS_LOCAL_SIZE", "LOCAL_WORLD_SIZE")
_MACHINES = ("SLURM_STEP_NUM_NODES", "SLURM_NNODES")


def is_on_several_machines():
    """Whether the launcher says that the job is on more than one machine."""
    known = place()
    if known is None or known.size is None:
        return False
    machines = next(filter(None, map(_number, _MACHINES)), 1)
    return machines > 1 or any(0 < (_number(name) or 0) < known.size for name in _LOCAL_SIZES)


def communicator(load=False):
    """MPI.COMM_WORLD of mpi4py where the program has imported that, MPI has begun and has not ended; else
    None. load: import mpi4py, which begins MPI."""
    mpi = sys.modules.get("mpi4py.MPI")
    if mpi is None and load:
        try:
            from mpi4py import MPI as mpi
        except (ImportError, RuntimeError):  # without an MPI library
            return None
    try:
        if mpi is None or not mpi.Is_initialized() or mpi.Is_finalized():
            return None
        # What profile_mpi4py() has put in its place has the communicator itself.
        return getattr(mpi.COMM_WORLD, "communicator", mpi.COMM_WORLD)
    except AttributeError:  # half imported
        return None


def _number(variable):
    text = os.environ.get(variable, "")
    return int(text) if text.isascii() and text.isdigit() else None
