"""Where 0.7.5 tells whether a launcher of MPI has started this process."""

from ._runtime import launcher

__all__ = ["LAUNCHER_ENV_VARS", "get_comm", "launched_under_mpi"]

#: The variables with the rank, one for each launcher.
LAUNCHER_ENV_VARS = tuple(each.rank for each in launcher.LAUNCHERS)


def launched_under_mpi():
    """Whether this process is a rank of a job, or the program has begun MPI itself. SCOPE_PROFILER_MPI=0 or
    1 decides it."""
    return launcher.place() is not None or launcher.communicator() is not None


def get_comm():
    """MPI.COMM_WORLD, or None where this process is no rank of a job. Imports mpi4py where it is one."""
    return launcher.communicator(load=True) if launched_under_mpi() else None
