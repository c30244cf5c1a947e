"""scope-profiler export: files of results in the formats of other programs."""

import os

import click

from .._base.file_names import EXPORTS, all_different, format_of, in_a_name, split
from .._base.shown import shown
from .export_plot_data import plot_data
from .profile_files import (
    Refused, check_choice, choosing_regions, labels_of, loaded, matching, ranks_of, refusing,
    skipping_first,
)
from .several import ReadingCommand, Several

#: {format: the settings that it has}; all that can be written.
_FORMATS = {**dict.fromkeys(EXPORTS, ()), "json": ("gzip", "indent"), "prof": ("call_paths",),
            "flamegraph": ("width", "threshold", "scalable")}


class _Export(ReadingCommand):
    """A command that is another one, `plot-data`, where its first word says so."""

    def make_context(self, info_name, args, parent=None, **extra):
        if args[:1] == [plot_data.name]:
            return plot_data.make_context(f"{info_name} {plot_data.name}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_Export, short_help="Write a file for pstats, speedscope, Perfetto and others.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", metavar="OUT", type=click.Path(),
              help="The file to write, or a folder for it. Its name says the format: x.prof, "
                   "x.speedscope.json, x.collapsed, x.folded, x.trace.json, x.trace.json.gz, "
                   "x.perfetto-trace, callgrind.out.x, x.svg.")
@click.option("--format", type=click.Choice([*_FORMATS]), help="The format, whatever the name.")
@click.option("--label", cls=Several, metavar="LABEL",
              help="The name of a file, in what is written and of its file in the folder; once for each.")
@choosing_regions
@skipping_first
@click.option("--call-paths/--no-call-paths", default=None,
              help="prof: each path is an entry of its own, 'a > b > c', and not each function.")
@click.option("--width", metavar="PIXELS", type=click.IntRange(200), help="flamegraph: of the picture.")
@click.option("--threshold", metavar="SHARE", type=click.FloatRange(0, 1, max_open=True),
              help="flamegraph: leave out what takes less of the time. [default: 0.001]")
@click.option("--scalable/--fixed-width", default=None,
              help="flamegraph: whether it becomes as wide as the window. [default: scalable]")
@click.option("--gzip", is_flag=True, default=None, help="json: compressed, in .json.gz.")
@click.option("--indent", metavar="N", type=click.IntRange(0),
              help="json: by so many spaces; all in one line unless given.")
def export(files, output, format, label, ranks, include, exclude, warm_up, **settings):
    """Write the results in FILE in a format that another program shows.

    FILE is a file in HDF5 or JSON, a folder of such, or a pattern in quotes; with several, or without
    -o, each gets a file of the same name in the folder OUT, or beside it. The format may come first, as
    in the last examples. `export plot-data` writes the numbers of charts; its options are its own.

    \b
    Examples:
      scope-profiler export run.h5 -o run.prof
      scope-profiler export run.h5 -o run.trace.json --include solver
      scope-profiler export run.h5 --format flamegraph
      scope-profiler export speedscope old.h5 new.h5 --label before --label after -o exported/
      scope-profiler export plot-data run.h5 -o numbers/ --plots durations gantt
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
    suffix = EXPORTS[format][0] if format in EXPORTS else ".json" + ".gz" * settings.pop("gzip", False)
    labels = labels_of(label, paths)
    for path, label, target in zip(paths, labels, _targets(paths, labels, output, suffix)):
        if os.path.realpath(target) == os.path.realpath(path):
            raise Refused(f"{path}: it would be written over; give another name by --output")
        results = loaded(path, warm_up, label)
        check_choice([results], include, exclude, ranks)
        with refusing():
            for done in _write(results, target, format, ranks, include, exclude, settings):
                click.echo(f"Wrote {shown(done)}")


def _targets(paths, labels, output, suffix):
    """Where what is made of each file goes."""
    if output and len(paths) == 1 and not (os.path.isdir(output) or output.endswith(os.sep)):
        return [output]
    stems = [os.path.join(output or os.path.dirname(path),
                          split(os.path.basename(path))[0] if label is None else in_a_name(label))
             for path, label in zip(paths, labels)]
    return [stem + suffix for stem in all_different(stems)]


def _write(results, target, format, ranks, include, exclude, settings):
    if format == "json":
        from ..io import write_json

        return [write_json(results, target, include=include, exclude=exclude, ranks=ranks, **settings)]
    return results.export(target, format, ranks=ranks, include=include, exclude=exclude, **settings)
