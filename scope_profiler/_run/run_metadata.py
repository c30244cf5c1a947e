"""Facts about a run and the machine that it ran on."""

from __future__ import annotations

import os
import sys
import time
from functools import cache
from typing import Any

from .._base import interpreter
from .._runtime import processes
from .._version import __version__


def collect_metadata(
    label: str | None = None,
    *,
    detail: str = "minimal",
    start_time_ns: int | None = None,
    finalize_time_ns: int | None = None,
    mpi_size: int = 1,
    num_nodes: int = 1,
    members: Any = None,
) -> dict[str, Any]:
    """What is stored with the results: by default nothing of user, host, paths and environment.

    No process is started and no library loaded; this takes well below a
    millisecond.

    label: A name for the run; None for none.
    detail: "minimal", or "full" for who ran it, on which machine, in what environment.
    start_time_ns, finalize_time_ns: Begin and end of the run on the axis of
        ``time.perf_counter_ns()``; None for now.
    mpi_size, num_nodes: How many ranks and machines took part.
    members: Those of the setting `comm`; None for all ranks.

    Returns dict: ``timestamp`` (UTC, ISO 8601), ``platform``, ``chip_information``,
    ``python_version``, ``scope_profiler_version`` (str), ``omp_num_threads``, ``mpi_size``,
    ``num_nodes``, ``total_cores``, ``start_time_ns``, ``finalize_time_ns``, ``process_id`` (int),
    ``program_id`` (str; alike in all processes of the program) and, if given, ``label``; in a child
    of the program ``parent_process_id`` (int) and, where multiprocessing started it,
    ``process_name`` (str); in full also ``hostname``, ``user``, ``uname``, ``working_directory``
    (str) and the environment variables that tell of paths, modules, virtual environments and batch
    jobs, under their own names (str).
    """
    now = time.perf_counter_ns()
    metadata = {
        "timestamp": _utc_timestamp(time.time_ns()),
        "platform": _platform(),
        "chip_information": _chip(),
        "python_version": sys.version.split()[0],
        "scope_profiler_version": __version__,
        "omp_num_threads": _omp_num_threads(),
        "mpi_size": mpi_size,
        "num_nodes": num_nodes,
        "total_cores": os.cpu_count() or 1,
        "start_time_ns": now if start_time_ns is None else start_time_ns,
        "finalize_time_ns": now if finalize_time_ns is None else finalize_time_ns,
        **processes.facts(members),
    }
    if detail == "full":
        metadata.update(_details())
    if label is not None:
        metadata["label"] = label
    return metadata


_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "LOADEDMODULES")
_VARIABLES_LIKE = ("MODULE", "PYTHON", "SLURM_", "SLURMD_", "PBS_")
_LONGEST_VALUE = 60_000  # an attribute of an HDF5 file holds 64 KB


def _details() -> dict[str, str]:
    """Who ran it, on which machine, and in what environment."""
    import getpass
    import platform

    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"
    with interpreter.no_process_for_platform():
        uname = " ".join(platform.uname())
    return {
        "hostname": platform.node(),
        "user": user,
        "uname": uname,
        "working_directory": os.getcwd(),
        **{
            name: value[:_LONGEST_VALUE]
            for name, value in sorted(os.environ.items())
            if name in _VARIABLES or name.startswith(_VARIABLES_LIKE)
        },
    }


def _utc_timestamp(time_ns: int) -> str:
    # Importing datetime takes longer than everything here.
    seconds, ns = divmod(time_ns, 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{ns // 1000:06d}+00:00"


@cache
def _platform() -> str:
    """As `platform.platform()`, whose import is slow, where the C library tells its version."""
    try:
        libc, system = os.confstr("CS_GNU_LIBC_VERSION"), os.uname()
    except (AttributeError, OSError, ValueError):
        libc = None
    if libc is None:
        import platform

        return platform.platform()
    return f"{system.sysname}-{system.release}-{system.machine}-with-{libc.replace(' ', '')}"


@cache
def _chip() -> str:
    """The model of the processor, or else its architecture."""
    try:
        # The first processor will do: the file is long on large machines.
        with open("/proc/cpuinfo", "rb", buffering=0) as file:
            for line in file.read(4096).decode("utf-8", "replace").splitlines():
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    return value.strip()
    except OSError:
        pass
    return (
        os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_IDENTIFIER", "")
    )


def _omp_num_threads() -> int:
    """The size of an OpenMP team: as OMP_NUM_THREADS says, or one per processor we may use."""
    try:
        return int(os.environ.get("OMP_NUM_THREADS", "").split(",")[0])
    except ValueError:
        pass
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
