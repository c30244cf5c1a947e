"""The page of the public names."""

import inspect
import re

import scope_profiler as sp

PAGE = """\
# API

```python
import scope_profiler as sp
```

Every name is one of `sp`. The functions act on the process-wide manager, as methods of the class
`ProfileManager` do; an instance of it is a manager of its own. Settings are on a
[page of their own](settings.md). Types are in the stubs (`*.pyi`), which type checkers read.
`tools/generate.py` writes this page.
"""

HEADINGS = {
    "A run": "setup setup_from_env session finalize snapshot pause resume reset sample_every is_active "
             "is_configured get_config last_results read_results",
    "Regions": "region profile define_region region_factory metadata add counter instrument "
               "register_opt_in_tag get_region get_all_regions registered_regions recorded_regions",
    "Whole programs": "run run_script profile_script profile_command",
    "MPI": "profile_mpi4py profile_mpi_comm communication_matrix collective_waits critical_path "
           "parse_mpi_region format_mpi_region message_nbytes MPIRegionMetadata ProfiledMPIComm "
           "ProfiledMPIRequest",
    "Files": "load load_processes read_profile read_h5 read_h5_summary read_json "
             "sniff_profile_format write_profile convert write_json write_parquet export_json "
             "load_traces merge_results inspect_file "
             "collect_region_statistics collect_file_metadata write_region_statistics_json",
    "Files for other programs": "export_prof to_pstats load_prof export_speedscope export_collapsed "
                                "export_chrome_trace export_perfetto export_callgrind "
                                "export_flamegraph_svg",
    "Reports": "create_html_report",
    "Pictures": "plot_durations plot_gantt plot_flame_chart plot_flame_graph plot_duration_timeseries "
                "plot_rank_heatmap plot_speedup plot_scaling_efficiency plot_weak_scaling "
                "plot_weak_scaling_efficiency plot_counters plot_roofline plot_perf_events "
                "collect_roofline_points",
    "Calls one by one": "build_call_arrays build_call_stack call_stack_children call_stack_roots",
    "Objects": "ProfileManager ProfilingRun ProfileRegion RegionFactory RegionStatistics "
               "ProfilingConfig ProfilingResults MPIRegion Region ThreadInfo TaskInfo CallArrays "
               "CallOverLimit CallsInside",
    "Errors": "CorruptProfileError JSONProfileError TraceFormatError UnsupportedProfileError "
              "EventDataUnavailableError NestingError",
}

#: Other names for what is described under the first.
SAME = {"profile_region": "region", "RegionHandle": "ProfileRegion",
        "plot_flame": "plot_flame_chart"}

#: On the page of settings.
SETTINGS = {"ProfilingOptions", "GPUOptions", "HDF5Options", "MemrayOptions", "SetupOptions"}


def page():
    described = {name for names in HEADINGS.values() for name in names.split()}
    missing = {*sp.__all__} - described - {*SAME} - SETTINGS - {"__version__"}
    if missing:
        raise SystemExit(f"tools/generated/api.py has no heading for {', '.join(sorted(missing))}")
    parts = [PAGE]
    for heading, names in HEADINGS.items():
        parts.append(f"## {heading}\n")
        parts += [described_name(name) for name in names.split()]
    return "\n".join(parts)


def described_name(name):
    value = getattr(sp, name)
    also = "".join(f", `{other}`" for other, same in SAME.items() if same == name)
    if isinstance(value, type):
        return described_class(name, also, value)
    return f"### `{name}{signature(value)}`{also}\n\n{text(value)}"


def described_class(name, also, value):
    rows = [row for member in sorted(vars_of(value)) if (row := described_member(value, member))]
    table = f"\n| | |\n|---|---|\n{''.join(rows)}" if rows else ""
    return f"### `{name}`{also}\n\n{text(value)}{table}"


def vars_of(value):
    """The public names that the class and its bases in this package define."""
    bases = [base for base in value.__mro__ if base.__module__.startswith("scope_profiler")]
    return {name for base in bases for name in vars(base) if not name.startswith("_")}


def described_member(value, name):
    """A row of a table: the member and the first sentence of what it says of itself."""
    if hasattr(sp, name) and value is sp.ProfileManager:
        return f"| `{name}` | as `sp.{name}` |\n"
    member = inspect.getattr_static(value, name)
    doc = inspect.getdoc(getattr(value, name) if not isinstance(member, property) else member)
    called = isinstance(member, (classmethod, staticmethod)) or inspect.isroutine(member)
    said = first_sentence(doc) if doc and (called or isinstance(member, property)) else ""
    return f"| `{name}{'()' if called else ''}` | {said} |\n"


def first_sentence(doc):
    paragraph = " ".join(doc.partition("\n\n")[0].split())
    found = re.match(r".*?[.:](?= [A-Z]|$)", paragraph)
    return (found[0] if found else paragraph).replace("|", r"\|")


def signature(value):
    """Without types, which the stubs have."""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return "()"
    empty = inspect.Parameter.empty
    kept = [one.replace(annotation=empty) for one in found.parameters.values()]
    return str(found.replace(parameters=kept, return_annotation=empty)).replace("UNSET", "...")


def text(value):
    """What it says of itself, as it stands."""
    doc = inspect.getdoc(value) or ""

    return f"```text\n{doc.strip()}\n```\n" if doc else ""
