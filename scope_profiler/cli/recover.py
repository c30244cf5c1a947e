"""scope-profiler recover: results from the journals of programs that were killed."""

from pathlib import Path

import click

from .._base.shown import shown


@click.command("recover", short_help="Get the results of a program that was killed.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path),
              help="Where to write the results.  [default: beside the journal, as NAME.recovered.h5]")
@click.option("--all", "every", is_flag=True,
              help="All journals in the folder PATH whose programs are over.")
@click.option("--remove", is_flag=True, help="Remove each journal whose results are written.")
def recover(path, output, every, remove):
    """Write the results in a journal to a file, and tell what is missing of them.

    PATH is a journal, the file of results that a journal lies beside, or, with --all, a folder. A run
    that writes a file has a journal while it records; it is left when the process was killed.
    The program is not needed.

    \b
    Examples:
      scope-profiler recover profiling_data.h5.4711.journal
      scope-profiler recover profiling_data.h5.4711.journal -o run.h5
      scope-profiler recover --all .
    """
    from ..io.journal_files import is_in_use, target_of

    if every and output is not None:
        raise click.UsageError("--output is for one journal, and --all for several")
    failed, written = 0, []
    for journal in _journals(path, every):
        try:
            if every and is_in_use(journal):
                print(f"{shown(journal)}: its program goes on; left out")
                continue
            target = output or target_of(journal, written)
            _write(journal, target)
            written.append(target)
            if remove and not is_in_use(journal):
                journal.unlink()
        except (OSError, ValueError) as error:
            click.echo(f"Error: {shown(error)}", err=True)
            failed += 1
    if failed:
        raise SystemExit(2)


def _journals(path, every):
    from ..io.formats import sniff_profile_format
    from ..io.journal_files import all_journals, journals_of

    if every:
        if not path.is_dir():
            raise click.UsageError(f"--all takes a folder; {shown(path)} is none")
        return all_journals(path)
    if path.is_dir():
        raise click.UsageError(f"{shown(path)} is a folder: --all recovers the journals in it")
    if path.exists() and sniff_profile_format(path) == "journal":
        return [path]
    found = journals_of(path)
    if len(found) == 1:
        return found
    if found:
        names = ", ".join(map(shown, found))
        raise click.UsageError(f"{shown(path)} has several journals beside it, give one: {names}")
    if not path.exists():
        raise click.UsageError(f"{shown(path)}: there is no such file, and no journal of it")
    return [path]  # which says what is wrong with it


def _write(journal, target):
    from ..io.formats import write_profile
    from ..io.journal_reader import recover as read

    results, missing = read(journal)
    write_profile(results, target)
    calls = sum(region.num_calls for region in results)
    print(f"{shown(journal)}: {calls} call(s) of {len(results)} region(s), written to {shown(target)}")
    for sentence in (*missing, *filter(None, [results.metadata.get("recovered_as_of")])):
        print(f"  {shown(sentence)}")
