from typing import Any

from ._instrument import regions
from ._core import RegionFactory as RegionFactory
from ._version import __version__ as __version__
from .compat.old_paths.h5reader import ProfilingH5Reader as ProfilingH5Reader
from .exports.callgrind import export_callgrind as export_callgrind
from .exports.chrome_trace import export_chrome_trace as export_chrome_trace
from .exports.collapsed import export_collapsed as export_collapsed
from .exports.flamegraph import export_flamegraph_svg as export_flamegraph_svg
from .exports.perfetto import export_perfetto as export_perfetto
from .exports.prof import (
    export_prof as export_prof,
    load_prof as load_prof,
    to_pstats as to_pstats,
)
from .exports.speedscope import export_speedscope as export_speedscope
from .io import (
    CorruptProfileError as CorruptProfileError,
    JSONProfileError as JSONProfileError,
    UnsupportedProfileError as UnsupportedProfileError,
    convert as convert,
    load as load,
    load_processes as load_processes,
    read_h5 as read_h5,
    read_h5_summary as read_h5_summary,
    read_json as read_json,
    read_profile as read_profile,
    sniff_profile_format as sniff_profile_format,
    write_profile as write_profile,
)
from .io.json_export import export_json as export_json
from .io.json_writer import write_json as write_json
from .io.parquet_writer import write_parquet as write_parquet
from .io.spt_reader import TraceFormatError as TraceFormatError, load_traces as load_traces
from .manager import ProfileManager as ProfileManager
from .config.options import (
    GPUOptions as GPUOptions,
    HDF5Options as HDF5Options,
    MemrayOptions as MemrayOptions,
    ProfilingOptions as ProfilingOptions,
)
from ._run.profiling_config import ProfilingConfig as ProfilingConfig
from .io.region_statistics import (
    collect_file_metadata as collect_file_metadata,
    collect_region_statistics as collect_region_statistics,
    write_region_statistics_json as write_region_statistics_json,
)
from .mpi.analysis import (
    collective_waits as collective_waits,
    communication_matrix as communication_matrix,
)
from .mpi.critical_path import critical_path as critical_path
from .mpi.call_names import (
    MPIRegionMetadata as MPIRegionMetadata,
    format_mpi_region as format_mpi_region,
    message_nbytes as message_nbytes,
    parse_mpi_region as parse_mpi_region,
)
from .mpi.recorded_calls import (
    ProfiledMPIComm as ProfiledMPIComm,
    ProfiledMPIRequest as ProfiledMPIRequest,
    profile_mpi4py as profile_mpi4py,
    profile_mpi_comm as profile_mpi_comm,
)
from .plots.bars import plot_durations as plot_durations
from .plots.counter_curves import plot_counters as plot_counters
from .plots.counters import plot_perf_events as plot_perf_events
from .plots.roofline import (
    collect_roofline_points as collect_roofline_points,
    plot_roofline as plot_roofline,
)
from .plots.curves import plot_duration_timeseries as plot_duration_timeseries
from .plots.flames import (
    plot_flame as plot_flame,
    plot_flame_chart as plot_flame_chart,
    plot_flame_graph as plot_flame_graph,
)
from .plots.heat_maps import plot_rank_heatmap as plot_rank_heatmap
from .plots.scaling import (
    plot_scaling_efficiency as plot_scaling_efficiency,
    plot_speedup as plot_speedup,
    plot_weak_scaling as plot_weak_scaling,
    plot_weak_scaling_efficiency as plot_weak_scaling_efficiency,
)
from .plots.gantt import plot_gantt as plot_gantt
from .report.inspection import inspect_file as inspect_file
from .results import (
    CallArrays as CallArrays,
    EventDataUnavailableError as EventDataUnavailableError,
    MPIRegion as MPIRegion,
    NestingError as NestingError,
    ProfilingResults as ProfilingResults,
    Region as Region,
    TaskInfo as TaskInfo,
    ThreadInfo as ThreadInfo,
    build_call_arrays as build_call_arrays,
    build_call_stack as build_call_stack,
    call_stack_children as call_stack_children,
    call_stack_roots as call_stack_roots,
    merge_results as merge_results,
)
from ._model.over_limit import CallOverLimit as CallOverLimit, CallsInside as CallsInside
from .html.create_report import create_html_report as create_html_report
from ._run.runs import ProfilingRun as ProfilingRun
from .config.setup_options import SetupOptions as SetupOptions
from ._model.statistics import RegionStatistics as RegionStatistics

ProfileRegion = regions.Region
RegionHandle = ProfileRegion

setup = ProfileManager.setup
setup_from_env = ProfileManager.setup_from_env
session = ProfileManager.session
finalize = ProfileManager.finalize
snapshot = ProfileManager.snapshot
profile = ProfileManager.profile
profile_region = ProfileManager.profile_region
region = ProfileManager.region
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

def load_ipython_extension(ip: Any) -> None: ...
