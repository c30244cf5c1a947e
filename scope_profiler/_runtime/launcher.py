"""What the launcher of an MPI job, of Slurm tasks or of torchrun says in the environment: which rank
this process is. MPI itself is not asked, and not loaded."""

import os

#: Variables with the rank, with the number of ranks, and with what all ranks of a job have alike.
_LAUNCHERS = (
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMIX_NAMESPACE"),
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_JOBID"),
    ("PALS_RANKID", "PMI_SIZE", "PALS_APID"),
    ("PMI_RANK", "PMI_SIZE", "PMI_JOBID"),
    ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_JOB_ID"),
    ("RANK", "WORLD_SIZE", "TORCHELASTIC_RUN_ID"),
)

#: Others set it as well, and not for this.
_COMMON = "RANK"


def rank():
    """The rank of this process, or None where no launcher says it."""
    known = _launched()
    return None if known is None else known[0]


def facts():
    """What the metadata of a run say of its rank: {name: int or str}, empty without a launcher."""
    known = _launched()
    if known is None:
        return {}
    number, size, job = known
    return {
        "rank": number,
        **({} if size is None else {"launched_ranks": size}),
        **({"job_id": job} if job else {}),
    }


def _launched():
    for rank, size, job in _LAUNCHERS:
        number, count = _number(rank), _number(size)
        if number is not None and (count is not None or rank != _COMMON):
            return number, count, os.environ.get(job)
    return None


def _number(variable):
    text = os.environ.get(variable, "")
    return int(text) if text.isascii() and text.isdigit() else None
