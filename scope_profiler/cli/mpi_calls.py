"""scope-profiler mpi: who waits for whom, and who sends to whom."""

import json
import sys

import click

from .._base.shown import shown
from .profile_files import Refused, loaded, refusing


@click.command("mpi", short_help="Collective calls, critical path and messages of a run on several ranks.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", metavar="FILE", type=click.Path())
@click.option("--all", "whole", is_flag=True, help="Leave no row out.")
@click.option("--json", "as_json", is_flag=True, help="For machines, in seconds and bytes.")
def mpi(path, whole, as_json):
    """Print what ranks of MPI have waited for, which was the critical path, and who has sent to whom.

    FILE has the results of all ranks, of a run with --mpi-calls or setup(profile_mpi_calls=True); or it
    is a pattern in quotes, of the files of the ranks.

    \b
    Examples:
      scope-profiler mpi run.h5
      scope-profiler mpi 'run*.h5' --all
      scope-profiler mpi run.h5 --json
    """
    from ..mpi.analysis import collective_waits, communication_matrix
    from ..mpi.critical_path import critical_path
    from ..report import mpi_tables
    from ..report.output import Output

    results = loaded(path)
    with refusing(path):
        waits, matrix = collective_waits(results), communication_matrix(results)
        path_of = critical_path(results)
    if not (waits or matrix.messages.any() or matrix.unknown):
        raise Refused(f"{path}: there are no calls of MPI in it; record with --mpi-calls or "
                      "setup(profile_mpi_calls=True)")
    if as_json:
        pairs = [{"from": int(one), "to": int(other), "messages": int(matrix.messages[one, other]),
                  "bytes": int(matrix.bytes[one, other])} for one, other in zip(*matrix.messages.nonzero())]
        json.dump({
            "collectives": waits, "messages": pairs, "unknown_messages": matrix.unknown,
            "critical_path": path_of and {"by_rank": path_of.by_rank, "by_region": path_of.by_region,
                                          "pieces": [piece._asdict() for piece in path_of.pieces]},
        }, sys.stdout, indent=2)
        click.echo()
        return
    out = Output(sys.stdout)
    out.line()
    out.title(shown(results.default_title()))
    mpi_tables.show_waits(waits, out)
    if path_of is not None:
        mpi_tables.show_path(path_of, out, whole)
    mpi_tables.show_matrix(matrix, out, whole)
    out.deliver()
