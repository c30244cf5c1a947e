"""Programs under mpiexec."""

import os
import shutil
import subprocess
import sys

import pytest


#: Of which MPI: that of mpi4py, as "mpiexec.mpich".
MPIEXEC = os.environ.get("SCOPE_PROFILER_MPIEXEC", "mpiexec")


def _needs(why_not):
    return pytest.mark.skipif(why_not is not None, reason=str(why_not))


def _why_not():
    try:
        import mpi4py  # noqa: F401
    except ImportError:
        return "there is no mpi4py here"
    return None


_NO_MPIEXEC = None if shutil.which(MPIEXEC) else f"there is no {MPIEXEC} here (Debian: openmpi-bin)"
NEEDS_MPIEXEC = _needs(_NO_MPIEXEC)
NEEDS_MPI = _needs(_NO_MPIEXEC or _why_not())


def mpiexec(ranks, program, *arguments, status=0, **environment):
    """Run the text of a program on so many ranks: (standard output, standard error). status: that which
    it has to end with; None for any but 0."""
    settings = {"NO_COLOR": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                "OMPI_MCA_rmaps_base_oversubscribe": "1",
                "OMPI_MCA_btl_vader_single_copy_mechanism": "none"}
    with open("program.py", "w", encoding="utf-8") as file:
        file.write(program)
    done = subprocess.run(
        [MPIEXEC, "-n", str(ranks), sys.executable, "program.py", *arguments], text=True,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=100,
        env={**os.environ, **settings, **environment})
    assert (done.returncode == status if status is not None else done.returncode), done.stderr
    return done.stdout, done.stderr
