"""scope-profiler export: files of results in the formats of other programs."""

import os

import click

from .._base.file_names import EXPORTS, format_of, split
from .._base.shown import shown
from .profile_files import Refused, loaded, matching, ranks_of, refusing
from .several import ReadingCommand, Several

#: {format: the settings that it has}; all that can be written.
_FORMATS = {**dict.fromkeys(EXPORTS, ()), "json": (), "prof": ("call_paths",),
            "flamegraph": ("width", "threshold", "scalable")}


@click.command(cls=ReadingCommand, short_help="Write a file for pstats, speedscope, Perfetto and others.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", metavar="OUT", type=click.Path(),
              help="The file to write, or a folder for it. Its name says the format: x.prof, "
                   "x.speedscope.json, x.collapsed, x.folded, x.trace.json, x.trace.json.gz, "
                   "x.perfetto-trace, callgrind.out.x, x.svg.")
@click.option("--format", type=click.Choice([*_FORMATS]), help="The format, whatever the name.")
@click.option("-i", "--include", cls=Several, metavar="REGEX",
              help="Only regions whose name these match at its beginning.")
@click.option("-e", "--exclude", cls=Several, metavar="REGEX", help="Not regions whose name these match.")
@click.option("-r", "--ranks", "--rank", cls=Several, metavar="RANKS",
              help="Only these ranks: 0 2, 0,2 or 0-3.")
@click.option("--call-paths/--no-call-paths", default=None,
              help="prof: each path is an entry of its own, 'a > b > c', and not each function.")
@click.option("--width", metavar="PIXELS", type=click.IntRange(200), help="flamegraph: of the picture.")
@click.option("--threshold", metavar="SHARE", type=click.FloatRange(0, 1, max_open=True),
              help="flamegraph: leave out what takes less of the time. [default: 0.001]")
@click.option("--scalable/--fixed-width", default=None,
              help="flamegraph: whether it becomes as wide as the window. [default: scalable]")
def export(files, output, format, ranks, include, exclude, **settings):
    """Write the results in FILE in a format that another program shows.

    FILE is a file in HDF5 or JSON, a folder of such, or a pattern in quotes; with several, or without
    -o, each gets a file of the same name in the folder OUT, or beside it. The format may come first, as
    in the last example.

    \b
    Examples:
      scope-profiler export run.h5 -o run.prof
      scope-profiler export run.h5 -o run.trace.json --include solver
      scope-profiler export run.h5 --format flamegraph
      scope-profiler export speedscope run.h5 -o exported/
    """
    if format is None and files[0] in _FORMATS and not os.path.exists(files[0]):
        format, *files = files
        if not files:
            raise click.UsageError(f"export {format} takes a file of results")
    format = format or (format_of(output) if output else None)
    if format not in _FORMATS:
        raise click.UsageError("--output or --format has to say the format: " + ", ".join(_FORMATS))
    settings = {name: value for name, value in settings.items() if value is not None}
    for name in settings:
        if name not in _FORMATS[format]:
            raise click.UsageError(f"--{name.replace('_', '-')} is not for {format}")
    ranks, include, exclude = ranks_of(ranks), include or None, exclude or None
    paths = matching(files)
    for path in paths:
        target = _target(path, output, format, len(paths) > 1)
        if os.path.realpath(target) == os.path.realpath(path):
            raise Refused(f"{path}: it would be written over; give another name by --output")
        results = loaded(path)
        with refusing():
            for done in _write(results, target, format, ranks, include, exclude, settings):
                click.echo(f"Wrote {shown(done)}")


def _target(path, output, format, is_one_of_several):
    """Where what is made of the file goes."""
    name = split(os.path.basename(path))[0] + (EXPORTS[format][0] if format in EXPORTS else ".json")
    if output is None:
        return os.path.join(os.path.dirname(path), name)
    if is_one_of_several or os.path.isdir(output) or output.endswith(os.sep):
        return os.path.join(output, name)
    return output


def _write(results, target, format, ranks, include, exclude, settings):
    if format == "json":
        from ..io import write_json

        return [write_json(results, target, include=include, exclude=exclude, ranks=ranks)]
    return results.export(target, format, ranks=ranks, include=include, exclude=exclude, **settings)
