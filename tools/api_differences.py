"""Why the interface is not that of 0.7.5, where it is not; see compare_api.py.

Names are matched as by fnmatch, the first that fits counts. What is missing at the top level of
the package is explained in scope_profiler/compat/absent.py.
"""

_AT_TOP = "a module of its inner workings; the public names are those of `scope_profiler`"
_NO_COMMAND = "this version does not have the command"

#: {pattern: why}
EXPLANATIONS = {
    # ---- Managers and runs
    "ProfileManager.finalize(verbose)": "None is what `setup(verbose=)` says, True unless it is given",
    "ProfileManager.finalize(verbose_line_profiler)": (
        "the tables of lines are printed in line mode, unless it is False"
    ),
    "ProfileManager.session(verbose_line_profiler)": "as of `finalize()`",
    **{f"ProfileManager.session({name})": "among the arguments that go on to `setup()`"
       for name in ("output", "replace", "config_path", "verbose")},
    "ProfilingResults.print_summary(sort)": "the longest comes first, as in the report of `finalize()`",
    "RegionFactory()": "it takes the same; `inspect.signature()` does not see into C",
    "ProfilingConfig(*)": "settings are given by keyword",
    "ProfilingConfig.*likwid*": "this version has no LIKWID counters",
    "ProfilingConfig.stop_memory_profiling": "this version has no memray recording",
    "ProfilingConfig.reset": "it does nothing in 0.7.5",
    # ---- Regions while they record
    "a region.append": "calls are recorded by entering the region",
    **{f"a region.{name}": "there are no buffers to look into; `num_calls` counts the calls"
       for name in ("buffer_limit", "capacity", "closed_slots", "mark_written", "open_slots",
                    "ptr")},
    "a region, track_threads.*": (
        "`results.threads` has the threads, `results[name][0].for_thread(index)` their calls"
    ),
    "a region, use_line_profiler.manual_line_records": (
        "`get_stats().timings` has all lines, however they were traced"
    ),
    "a region, use_line_profiler.*": "the inner workings of its line mode",
    # ---- Results
    "Region(*)": "made of columns in ns, by keyword; the attributes are the same",
    "keys of *.*_id": (
        "calls are not numbered while they record; `call_graph()` and `call_stack()` number them"
    ),
    # ---- Modules
    "modules.benchmark": "`scope-profiler benchmark` is the command",
    "modules.diff": _NO_COMMAND,
    "modules.line_profile_cli": _NO_COMMAND,
    "modules.post_processing": _NO_COMMAND,
    "modules.tui": _NO_COMMAND,
    "modules.plotting_scripts": "`scope_profiler.plots` has the functions",
    "modules.chrome_trace_export": "`export_chrome_trace` is a name of `scope_profiler`",
    "modules.speedscope_export": "`export_speedscope` is a name of `scope_profiler`",
    "modules.prof_export": "`export_prof`, `to_pstats` and `load_prof` are names of `scope_profiler`",
    "modules.astro_site": "this version makes no site of runs",
    "modules.catalogue": "`scope-profiler catalogue` makes the page",
    "modules.html_report": "`results.to_html()` writes an HTML report",
    "modules.report_*": "`results.to_html()` writes an HTML report",
    "modules.ipython_magics": "this version has no IPython magics",
    "modules.mcp_server": "this version has no MCP server",
    "modules.pytest_plugin": "this version has no plugin for pytest",
    "modules.likwid_data": "this version has no LIKWID counters",
    "modules.perf_events": "this version has no perf events",
    "modules.gpu_timing": "this version has no GPU timing",
    "modules.memray": "this version has no memray recording",
    "modules.native_*": "this version does not read traces of native code",
    "modules.concurrency": "`ThreadInfo` and `TaskInfo` are names of `scope_profiler`",
    "modules.h5schema": "a file of a later version is an `UnsupportedProfileError`",
    "modules.h5writer": "`write_profile()` writes files",
    **{f"modules.{name}": _AT_TOP for name in (
        "json_export", "mpi_region", "region",
    )},
}
