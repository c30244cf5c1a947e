"""scope-profiler merge: several files as one."""

import click

from .profile_files import Refused, loaded, matching, refusing


@click.command(short_help="Put several files together, as the processes of one run.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", metavar="FILE", required=True, help="Where to write: .h5 or .json.")
@click.option("--label", metavar="TEXT", help="A name for the whole.")
@click.option("--same-rank", is_flag=True,
              help="The files are parts of one process, with different regions: no rank of their own.")
@click.option("-q", "--quiet", is_flag=True, help="Do not say what was written.")
def merge(files, output, label, same_rank, quiet):
    """Write one file with the regions, lines, threads and tasks of all: each file is a process, and gets
    a rank of its own.

    \b
    Examples:
      scope-profiler merge rank0.h5 rank1.h5 -o all.h5
      scope-profiler merge 'part-*.json' -o all.h5 --label "night run"
    """
    from ..io import write_profile
    from ..results import merge_results

    paths = matching(files)
    if len(paths) < 2:
        raise Refused(f"merge takes several files; got {paths[0]} alone")
    with refusing():
        merged = merge_results(*map(loaded, paths), label=label, ranks=not same_rank)
    with refusing(output):
        write_profile(merged, output)
    if not quiet:
        click.echo(f"Written: {output} ({len(merged)} regions, {merged.num_ranks} ranks)")
