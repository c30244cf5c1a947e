"""scope_profiler: named regions of a Python program, timed by a C core.

    import scope_profiler as sp

    @sp.profile("solve")
    def solve(): ...

    with sp.session():
        with sp.region("assemble"):
            ...
        solve()

Every function of the module acts on the process-wide manager, as the methods of the class
``ProfileManager`` do; ``ProfileManager()`` makes an independent one.

Importing the package loads the C core and nothing heavy: numpy and h5py come in when
results are taken, written or shown.
"""

import os

from ._base import above
from ._version import __version__

try:
    from ._core import RegionFactory
except ModuleNotFoundError as _error:
    _no_core = _error  # results can be read, shown and written without: that is Python alone
else:
    from .manager import ProfileManager
    from ._instrument.regions import Region as ProfileRegion

    setup = ProfileManager.setup
    setup_from_env = ProfileManager.setup_from_env
    session = ProfileManager.session
    finalize = ProfileManager.finalize
    snapshot = ProfileManager.snapshot
    profile = ProfileManager.profile
    profile_region = region = ProfileManager.profile_region
    define_region = ProfileManager.define_region
    region_factory = ProfileManager.region_factory
    metadata = ProfileManager.metadata
    add = ProfileManager.add
    counter = ProfileManager.counter
    sample_every = ProfileManager.sample_every
    register_opt_in_tag = ProfileManager.register_opt_in_tag
    instrument = ProfileManager.instrument
    run = ProfileManager.run
    run_script = ProfileManager.run_script
    profile_script = ProfileManager.profile_script
    profile_command = ProfileManager.profile_command
    get_region = ProfileManager.get_region
    get_all_regions = ProfileManager.get_all_regions
    is_active = ProfileManager.is_active
    is_configured = ProfileManager.is_configured
    registered_regions = ProfileManager.registered_regions
    recorded_regions = ProfileManager.recorded_regions
    last_results = ProfileManager.last_results
    read_results = ProfileManager.read_results
    get_config = ProfileManager.get_config
    pause = ProfileManager.pause
    resume = ProfileManager.resume
    reset = ProfileManager.reset

    # What define_region() gives is a region like any other: all stay valid.
    RegionHandle = ProfileRegion

# Modules that 0.7.5 had, under their paths: nobody else loads them.
__path__.append(os.path.join(os.path.dirname(__file__), "compat", "old_paths"))

# Loaded when it is first asked for.
_LAZY = {
    "ProfilingOptions": "config.options",
    "GPUOptions": "config.options",
    "HDF5Options": "config.options",
    "MemrayOptions": "config.options",
    "SetupOptions": "config.setup_options",
    "ProfilingConfig": "_run.profiling_config",
    "ProfilingRun": "_run.runs",
    "RegionStatistics": "_model.statistics",
    "convert": "io",
    "load": "io",
    "load_processes": "io",
    "read_h5": "io",
    "read_h5_summary": "io",
    "read_json": "io",
    "read_profile": "io",
    "sniff_profile_format": "io",
    "write_profile": "io",
    "write_json": "io",
    "write_parquet": "io",
    "export_json": "io",
    "export_callgrind": "exports",
    "export_chrome_trace": "exports",
    "export_collapsed": "exports",
    "export_flamegraph_svg": "exports",
    "export_perfetto": "exports",
    "export_prof": "exports",
    "export_speedscope": "exports",
    "load_prof": "exports",
    "to_pstats": "exports",
    "collect_roofline_points": "plots",
    "plot_counters": "plots",
    "plot_duration_timeseries": "plots",
    "plot_durations": "plots",
    "plot_flame": "plots",
    "plot_flame_chart": "plots",
    "plot_flame_graph": "plots",
    "plot_gantt": "plots",
    "plot_perf_events": "plots",
    "plot_rank_heatmap": "plots",
    "plot_roofline": "plots",
    "plot_scaling_efficiency": "plots",
    "plot_speedup": "plots",
    "plot_weak_scaling": "plots",
    "plot_weak_scaling_efficiency": "plots",
    "CorruptProfileError": "io",
    "JSONProfileError": "io",
    "UnsupportedProfileError": "io",
    "TraceFormatError": "io",
    "load_traces": "io",
    "ProfilingResults": "results",
    "MPIRegion": "results",
    "Region": "results",
    "ThreadInfo": "results",
    "TaskInfo": "results",
    "merge_results": "results",
    "CallOverLimit": "_model.over_limit",
    "CallsInside": "_model.over_limit",
    "create_html_report": "html.create_report",
    "MPIRegionMetadata": "mpi.call_names",
    "format_mpi_region": "mpi.call_names",
    "message_nbytes": "mpi.call_names",
    "parse_mpi_region": "mpi.call_names",
    "ProfiledMPIComm": "mpi.recorded_calls",
    "ProfiledMPIRequest": "mpi.recorded_calls",
    "collective_waits": "mpi.analysis",
    "critical_path": "mpi.critical_path",
    "communication_matrix": "mpi.analysis",
    "profile_mpi4py": "mpi.recorded_calls",
    "profile_mpi_comm": "mpi.recorded_calls",
    "inspect_file": "report.inspection",
    "collect_file_metadata": "io.region_statistics",
    "collect_region_statistics": "io.region_statistics",
    "write_region_statistics_json": "io.region_statistics",
    "CallArrays": "results",
    "build_call_arrays": "results",
    "build_call_stack": "results",
    "call_stack_children": "results",
    "call_stack_roots": "results",
    "EventDataUnavailableError": "results",
    "NestingError": "results",
}

# The same, but `from scope_profiler import *` leaves it out.
_OLDER = {"ProfilingH5Reader": "h5reader"}

__all__ = [
    "__version__",
    "ProfileManager",
    "ProfileRegion",
    "RegionFactory",
    "RegionHandle",
    "add",
    "counter",
    "define_region",
    "finalize",
    "instrument",
    "run",
    "run_script",
    "profile_script",
    "profile_command",
    "get_all_regions",
    "get_config",
    "get_region",
    "is_active",
    "is_configured",
    "last_results",
    "metadata",
    "pause",
    "profile",
    "profile_region",
    "read_results",
    "recorded_regions",
    "region",
    "region_factory",
    "register_opt_in_tag",
    "registered_regions",
    "reset",
    "resume",
    "sample_every",
    "session",
    "setup",
    "setup_from_env",
    "snapshot",
    *_LAZY,
]


def __getattr__(name):
    module = _LAZY.get(name) or _OLDER.get(name)
    if module is None and "_no_core" in globals() and name in __all__:
        raise ImportError(f"{name} needs the C extension scope_profiler._core, which is not there: "
                          "without it results can be read alone") from globals()["_no_core"]
    if module is None:
        from .compat.absent import explain

        raise AttributeError(explain(name))
    from importlib import import_module

    from ._base.needs import explained

    with explained():
        value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def load_ipython_extension(ip):
    """What %load_ext scope_profiler calls: the magics of line_profiler, of memory_profiler, and %sprun."""
    from .cprofile.sprun_magics import SprunMagics
    from .line_profiler.ipython_extension import LineProfilerMagics
    from .memory.memory_magics import MemoryMagics

    ip.register_magics(LineProfilerMagics, MemoryMagics, SprunMagics)


# ---- What methods of results call


def _import_load():
    from .io import load

    return load


def _import_print_results():
    from .report.results_table import show

    return show


def _import_print_statistics():
    from .report import print_statistics

    return print_statistics


def _import_write_parquet():
    from .io.parquet_writer import write_parquet

    return write_parquet


def _import_write_lprof():
    from .line_profiler.lprof import write

    return write


def _import_export():
    from .exports import export

    return export


def _import_write_html():
    from ._base.needs import explained

    with explained():
        from .html.page import write_html

    return write_html


def _import_stats_of():
    from .exports import stats_of

    return stats_of


def _default_manager():
    return ProfileManager._default


def _import_default_manager():
    return _default_manager


above.offer(load=_import_load, default_manager=_import_default_manager, print_results=_import_print_results,
            print_statistics=_import_print_statistics, write_lprof=_import_write_lprof,
            export=_import_export, write_html=_import_write_html, stats_of=_import_stats_of,
            write_parquet=_import_write_parquet)


def __dir__():
    return sorted({*globals(), *__all__})
