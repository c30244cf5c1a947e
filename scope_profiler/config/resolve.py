"""Which settings are in effect for a run, of all that are given in one way or another."""

from __future__ import annotations

import os

from .._base import environment, file_names, needs
from .._base.arguments import UNSET, boolean, instance, one_of
from .._base.warning import warn
from .kinds import check_level
from .names import unknown
from .options import ProfilingOptions
from .table import ARGUMENTS, CHECKS, DEFAULTS, NAMES, SETTINGS

_CHECKS_OF_ARGUMENTS = {row.name: row.kind.check for row in ARGUMENTS}


def resolve(options, settings, *, config_path=None, output=UNSET, region_tags=None):
    """The settings in effect for a run: {name: value} of all, and "region_tags".

    Parameters: those of setup(), its settings by keyword as a dict. Keywords come before options,
    those before the file config_path, that before defaults; None means not set. output is where
    to write, or None for nowhere.

    Of type bool, int and str, but: enable_tags and perf_events, tuples of str; region_tags, a
    frozenset of str, or None for no choice; gpu_timing_backend, anything.

    Raises TypeError for an unknown setting, a value of the wrong type, and for one setting given
    in two ways; ValueError for a value that a setting does not take, settings that do not go
    together, those that this version does not have, and whatever is wrong with the file. Warns
    of settings without effect, and of older spellings.
    """
    keywords = _given(options, settings, output)
    from_file, places = {}, {}
    if config_path is not None:
        from .toml import read

        from_file, places = read(config_path)
    given = {**from_file, **keywords}
    chosen = {**DEFAULTS, **_for_file(given.get("file_path")), **given}
    places = {name: f" ({place})" for name, place in places.items() if name not in keywords}
    if region_tags is not None:
        region_tags = frozenset(_CHECKS_OF_ARGUMENTS["region_tags"]("region_tags", region_tags))
    _check(chosen, places)
    _warn_of_no_effect(chosen, places)
    return {**_effective(chosen), "region_tags": region_tags}


def checked(options, settings):
    """What setup() is to be called with later: a ProfilingOptions, and the keyword arguments that
    are no settings as a dict.

    Parameters: those of setup(), its keywords as a dict. Raises as resolve() does, but for what
    is wrong with the file of config_path or together with it. Warns of older spellings.
    """
    settings = dict(settings)
    output = settings.pop("output", UNSET)
    others = {name: settings.pop(name) for name in _CHECKS_OF_ARGUMENTS if name in settings}
    keywords = _given(options, settings, output)
    others = {name: _CHECKS_OF_ARGUMENTS[name](name, value) for name, value in others.items()
              if value is not None}
    if "config_path" not in others:
        _check({**DEFAULTS, **keywords}, {})
    return ProfilingOptions(**keywords), others


def finalizing(verbose, return_results, native_traces, verbose_line_profiler, style,
               start_over=False, report_file=None):
    """The arguments of finalize(), checked, as a dict."""
    if native_traces is not None:
        raise ValueError(
            f"native_traces={native_traces!r}: this version does not read traces of native code"
        )
    if report_file is not None:
        report_file = CHECKS["report_file"]("report_file", report_file)
        _check_report(report_file, {})
    lines = verbose_line_profiler
    return {
        "verbose": None if verbose is None else boolean("verbose", verbose),
        "return_results": boolean("return_results", return_results),
        "verbose_line_profiler": None if lines is None else boolean("verbose_line_profiler", lines),
        "style": one_of("table", "blocks")("style", style),
        "start_over": boolean("start_over", start_over),
        "report_file": report_file,
    }


def _given(options, settings, output):
    """What options, keywords and output= set: {name: value}, groups taken apart."""
    if options is not None:
        _is_options("options", options)
    if not settings.keys() <= {*NAMES}:
        raise TypeError(unknown(settings.keys() - {*NAMES}, NAMES))
    keywords = ProfilingOptions(**settings).to_kwargs()
    if output is not UNSET:
        _add_output(output, keywords)
    return {**(options.to_kwargs() if options is not None else {}), **keywords}


_is_options = instance(ProfilingOptions, "a ProfilingOptions")


def _check(chosen, places):
    """What can be wrong with settings of which each alone is right."""
    _refuse_absent(chosen, places)
    _check_level(chosen, places)
    if chosen["keep_every"] is not None and chosen["keep"] is not None:
        raise ValueError(
            f"keep_every={chosen['keep_every']} and keep={chosen['keep']}"
            f"{places.get('keep') or places.get('keep_every', '')} do not go together"
        )
    if not chosen["deactivate_file_output"]:
        _check_destination("file_path", chosen["file_path"], places)
    if chosen["report_file"] is not None:
        _check_report(chosen["report_file"], places)


def _add_output(output, keywords):
    """output=, as settings."""
    twice = [name for name in ("file_path", "deactivate_file_output") if name in keywords]
    if twice:
        [other, *_] = twice
        raise TypeError(f"output={output!r} and {other}={keywords[other]!r} do not go together")
    if output is not None:
        keywords["file_path"] = CHECKS["file_path"]("output", output)
    keywords["deactivate_file_output"] = output is None


def _refuse_absent(chosen, places):
    for row in SETTINGS:
        value = chosen[row.name]
        if row.absent and value:
            place = places.get(row.name, "")
            raise ValueError(f"{row.name}={value!r}{place}: this version has no {row.absent}")


def _check_level(chosen, places):
    """The level of compression, against what is compressed with."""
    name = "hdf5_compression_level"
    level, compression = chosen[name], chosen["hdf5_compression"]
    if level is None or compression is None or compression == "none":
        return
    check_level(compression, level, f"{name}={level}{places.get(name, '')}")


def _check_report(path, places):
    if file_names.format_of(path) != "html":
        raise ValueError(f"report_file={path!r}{places.get('report_file', '')}: it takes a name in .html")
    _check_destination("report_file", path, places)


def _check_destination(name, path, places):
    """What could not be written is refused before anything is recorded."""
    given = f"{name}={path!r}{places.get(name, '')}"
    if not os.path.basename(path) or os.path.isdir(path):
        raise ValueError(f"{given} is a folder; it takes the path of a file")
    file_names.check_name(file_names.expanded(path, file_names.FIELDS), given)
    missing = needs.missing_for_html() if file_names.format_of(path) == "html" else None
    if missing:
        raise ValueError(f"{given}: {missing}")


def _warn_of_no_effect(chosen, places):
    reasons = {row.name: row.no_effect for row in SETTINGS if row.no_effect}
    if chosen["hdf5_compression"] in (None, "none"):
        reasons["hdf5_compression_level"] = "hdf5_compression is off"
    for name, reason in reasons.items():
        if chosen[name] != DEFAULTS[name]:
            warn(f"{name}={chosen[name]!r}{places.get(name, '')} has no effect: {reason}")


def _for_file(path):
    """What is in effect for a file of this name unless something else is given."""
    tracked = path is not None and file_names.format_of(path) in file_names.TIMELINES
    return {"track_async": True} if tracked else {}


def _effective(chosen):
    """The settings as they are in effect, with what one of them implies for another."""
    compression = chosen["hdf5_compression"]
    return {
        **chosen,
        "label": chosen["label"] or None,
        "deactivate_profiling": chosen["deactivate_profiling"] or environment.DISABLED,
        "memory_profile_path": None,
        "report_file": chosen["report_file"] and os.path.abspath(chosen["report_file"]),
        "use_line_profiler": any(
            chosen[name] for name in ("use_line_profiler", "line_memory", "line_details")),
        "track_threads": chosen["track_threads"] or chosen["track_async"],
        "hdf5_compression": None if compression == "none" else compression,
    }
