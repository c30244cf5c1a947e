"""Every setting of a run. Whatever is to be known of one is written here and nowhere else.

From this table come the arguments of setup() and session() and their checks (resolve.py), the class
ProfilingOptions (options.py), the attributes of ProfilingConfig, the keys in TOML files (toml.py),
the variables (variables.py), the options of `scope-profiler run` (cli/run.py), and, written by
tools/generate.py, the stubs and docs/settings.md. CONTRIBUTING.md says how to add a setting.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .kinds import (
    ANYTHING,
    COMMUNICATOR,
    COMPRESSION,
    FUNCTION,
    HERTZ,
    LIMITS,
    PATH,
    PLACE,
    SECONDS,
    STRINGS,
    SWITCH,
    TEXT,
    Kind,
    at_least,
    bytes_at_least,
    choice,
)

# What settings are about: headings of the reference.
RECORDED, KEPT, ABSENT = "What is recorded", "What is kept of it", "Not in this version"

# In a program under the profiler, whose setup() goes into the run that is on: whether a change of
# the setting begins that run anew, and of a switch whether it stays on once it was.
BEGINS_ANEW, STAYS_ON = "begins anew", "stays on"


class Option(NamedTuple):
    """An option of `scope-profiler run`."""

    names: str  # separated by blanks; "--x/--no-x" for a switch that has both
    help: str | None = None  # where the sentence of the setting would not do
    value: bool = True  # what a switch sets
    metavar: str | None = None  # where that of the kind would not do
    hidden: bool = False


class Setting(NamedTuple):
    """A row of the table."""

    name: str
    kind: Kind
    default: Any
    sentence: str
    about: str = RECORDED
    key: str | None = None  # "group.name": where it stands in a group, and so in TOML
    option: Option | None = None
    variable: str | None = None  # in the environment
    in_host: str | None = None  # BEGINS_ANEW, STAYS_ON
    absent: str | None = None  # what is asked for in vain: an error when it is on
    no_effect: str | None = None  # why: a warning when it is not the default


class Group(NamedTuple):
    """Some settings under shorter names: an object, and a table in TOML."""

    name: str
    type: str  # the class
    sentence: str
    first: tuple[str, ...] = ()  # the names that come first, where the order is not the table's


_NO_GPU, _NO_MEMRAY = "this version has no GPU timing", "this version has no memray recording"

_FILE = "profiling_data.h5"

#: In the order of 0.7.5, in which they can be given by position; new ones come at the end.
TABLE = (
    Setting("file_path", PATH, _FILE,
            "Where finalize() writes. A name in .json or .json.gz makes it JSON, one in .h5, .hdf5, "
            ".hdf or without such an end HDF5. {pid}, {rank}, {host}, {time} and {run} in it stand "
            "for the process, its rank in a job, the machine, when the run began, and its number in "
            "the process.",
            about=KEPT),
    Setting("label", TEXT, None, "A name for the run, in reports and in the file.",
            about=KEPT, option=Option("--label")),
    Setting("use_likwid", SWITCH, False, "LIKWID counters.", absent="LIKWID counters"),
    Setting("perf_events", STRINGS, (), "Counters of perf.", absent="perf events"),
    Setting("use_line_profiler", SWITCH, False,
            "Count and time the lines of decorated functions and of `with` blocks.",
            option=Option("--line-profile"), in_host=STAYS_ON),
    Setting("use_memray", SWITCH, False, "Record memory by memray.", key="memray.enabled",
            absent="memray recording"),
    Setting("memory_profile_path", PATH, None, "Where memray writes.", key="memray.path",
            no_effect=_NO_MEMRAY),
    Setting("memray_native_traces", SWITCH, False, "Native frames in memray.",
            key="memray.native_traces", no_effect=_NO_MEMRAY),
    Setting("memray_trace_python_allocators", SWITCH, False, "Python's allocators in memray.",
            key="memray.trace_python_allocators", no_effect=_NO_MEMRAY),
    Setting("memray_follow_fork", SWITCH, False, "Children in memray.",
            key="memray.follow_fork", no_effect=_NO_MEMRAY),
    Setting("deactivate_profiling", SWITCH, False,
            "Record nothing; the instrumentation stays in the code. SCOPE_PROFILER_DISABLE says it "
            "for every run."),
    Setting("use_nvtx", SWITCH, False, "NVTX ranges.", key="gpu.nvtx", absent="NVTX ranges"),
    Setting("use_gpu_timing", SWITCH, False, "Times of a GPU.", key="gpu.timing",
            absent="GPU timing"),
    Setting("gpu_timing_backend", ANYTHING, "auto", "What times a GPU.", key="gpu.backend",
            no_effect=_NO_GPU),
    Setting("deactivate_file_output", SWITCH, False, "Write no file; print the report only.",
            about=KEPT, option=Option("--no-output")),
    Setting("recursive_profile", SWITCH, False,
            "What @profile does without recursive=: time what the function calls, too.",
            variable="SCOPE_PROFILER_RECURSIVE", in_host=STAYS_ON),
    Setting("aggregation_mode", SWITCH, False,
            "Keep statistics, percentiles and the tree, and no single calls: small files for long "
            "runs.",
            option=Option("--aggregation-mode"), in_host=BEGINS_ANEW),
    Setting("profile_mpi_calls", SWITCH, False,
            "Make regions of the calls of mpi4py's communicators, each named by its operation, bytes, "
            "partner and communicator.",
            option=Option("--mpi-calls/--no-mpi-calls"), in_host=STAYS_ON),
    Setting("track_threads", SWITCH, False, "Tell which thread each call ran on.",
            in_host=STAYS_ON),
    Setting("track_async", SWITCH, False,
            "Tell also which task; implies track_threads. On for files that draw them: .trace.json, "
            ".perfetto-trace, .speedscope.json.",
            in_host=STAYS_ON),
    Setting("capture_region_source", SWITCH, False, "Keep where each region is, and its text."),
    Setting("metadata_detail", choice("minimal", "full"), "minimal",
            "Which facts are kept of the machine: \"full\" has user, host, folders and environment "
            "too.",
            about=KEPT),
    Setting("buffer_limit", at_least(1), 1024, "How many calls are held in memory.",
            option=Option("--buffer-limit", hidden=True),
            no_effect="what is recorded grows as it needs"),
    Setting("output_mode", choice("auto", "direct", "parallel"), "auto", "How files are written.",
            no_effect="there is one way of writing files"),
    Setting("hdf5_compression", COMPRESSION, None,
            "How columns are compressed in HDF5 files; \"auto\" does it in large runs only.",
            about=KEPT, key="hdf5.compression"),
    Setting("hdf5_compression_level", at_least(0), None,
            "How much: 0 to 9 with \"gzip\" and \"auto\", 1 to 22 with \"zstd\".",
            about=KEPT, key="hdf5.compression_level"),
    Setting("hdf5_chunk_size", at_least(1), None, "How many calls are stored together.",
            about=KEPT, key="hdf5.chunk_size"),
    Setting("enable_tags", STRINGS, (),
            "Record the regions behind these opt-in tags too, \"*\" for all; they add to those in "
            "SCOPE_PROFILER_ENABLE_TAGS.",
            option=Option("--enable-tag", metavar="TAG"), in_host=BEGINS_ANEW),
    Group("memray", "MemrayOptions", "Settings of memray recording, which this version does not "
                                     "have."),
    Group("gpu", "GPUOptions", "Settings of GPU timing and NVTX ranges, which this version does not "
                               "have.", first=("timing", "backend", "nvtx")),
    Group("hdf5", "HDF5Options", "How columns are stored in HDF5 files."),
    Setting("gpu_sync_on_exit", SWITCH, False, "Wait for the GPU.", key="gpu.sync_on_exit",
            absent="GPU timing"),
    Setting("verbose", SWITCH, True,
            "Print the report in finalize() and, with auto_finalize, at the end of the process, "
            "unless finalize(verbose=) says otherwise.",
            about=KEPT, option=Option("-q --quiet", "Print no report.", value=False),
            variable="SCOPE_PROFILER_VERBOSE"),
    Setting("memory", SWITCH, False,
            "Measure what the calls of regions take of memory: bytes and blocks allocated and freed "
            "through Python's allocators and NumPy's, by the thread of the call, and the peak.",
            option=Option("--memory --memory-profile",
                          "Measure what regions take of memory, and lines with --line-profile."),
            in_host=BEGINS_ANEW),
    Setting("line_memory", SWITCH, False,
            "Count lines, as use_line_profiler does, and measure the same for each, with the memory that "
            "the process uses after it.",
            in_host=BEGINS_ANEW),
    Setting("line_details", SWITCH, False,
            "Keep of each line also its shortest and longest hit, the 99th percentile, the exceptions "
            "and the time in what it called; implies use_line_profiler.",
            option=Option("--line-details"), in_host=STAYS_ON),
    Setting("trace_c", SWITCH, False,
            "Where functions are traced, trace also what they call of C: built-in functions and methods of "
            "C types.",
            option=Option("--c-functions", "Trace what functions call of C, too: built-in functions and "
                                           "methods of C types. Implies --recursive."),
            in_host=STAYS_ON),
    Setting("max_depth", at_least(1), None,
            "Where functions are traced, trace none with so many calls open around it.",
            option=Option("--max-depth"), in_host=BEGINS_ANEW),
    Setting("min_duration", SECONDS, None,
            "Keep no single calls that take less than so many seconds; they count in the statistics.",
            option=Option("--min-duration"), in_host=BEGINS_ANEW),
    Setting("trace_gc", SWITCH, False,
            "Make a region of each garbage collection, \"gc\", below what runs when it begins.",
            option=Option("--gc"), in_host=STAYS_ON),
    Setting("trace_imports", SWITCH, False,
            "Make a region of each import of a module that is not there yet, \"import numpy\", with what "
            "that imports below it.",
            option=Option("--imports"), in_host=STAYS_ON),
    Setting("journal", SWITCH, None,
            "Keep the calls in a file beside file_path while they are recorded, from which `scope-profiler "
            "recover` has them when the process was killed. None: where the run writes a file, but for a "
            "child process that ends without finalize().",
            about=KEPT, option=Option("--journal/--no-journal"), in_host=BEGINS_ANEW),
    Setting("max_memory", bytes_at_least(4096), None,
            "How much memory single calls may take, of all threads together: bytes, or a text such as "
            "\"200 MB\". Statistics, percentiles and the tree are of all calls, whatever is dropped.",
            about=KEPT, option=Option("--max-memory"), in_host=BEGINS_ANEW),
    Setting("max_events", at_least(64), None,
            "How many single calls are kept at most, of all threads together.",
            about=KEPT, option=Option("--max-events"), in_host=BEGINS_ANEW),
    Setting("on_full", choice("ring", "stop", "aggregate"), "ring",
            "What is done when max_memory or max_events is reached: \"ring\" drops the oldest calls for "
            "new ones, \"stop\" keeps what there is and no more until finalize(start_over=True), "
            "\"aggregate\" goes on as with aggregation_mode from there on.",
            about=KEPT, option=Option("--on-full"), in_host=BEGINS_ANEW),
    Setting("keep_every", at_least(1), None,
            "Of how many calls of a region one is kept by itself, unless the region says it: the first of "
            "each so many in a thread.",
            about=KEPT, option=Option("--keep-every"), in_host=BEGINS_ANEW),
    Setting("keep", at_least(1), None,
            "How many calls of a region are kept, unless the region says it: a random sample of all.",
            about=KEPT, option=Option("--keep"), in_host=BEGINS_ANEW),
    Setting("follow_children", SWITCH, False,
            "Record the Python processes that the program starts, too, in whatever way; the results have "
            "each as a process of its own, with the regions of the parent that it was started in.",
            option=Option("--follow-children"), in_host=STAYS_ON),
    Setting("mpi_timeout", SECONDS, 60,
            "How many seconds finalize() waits for the next rank of an MPI job, before what has come is put "
            "together and the others keep files of their own. 0: each rank keeps its own.",
            about=KEPT, option=Option("--mpi-timeout")),
    Setting("parallel_hdf5", SWITCH, None,
            "Let the ranks of an MPI job write their calls into the one file together, where h5py is built "
            "with MPI; else rank 0 writes those of all. None: where there are so many that it is quicker.",
            about=KEPT, option=Option("--parallel-hdf5/--no-parallel-hdf5")),
    Setting("sample", HERTZ, None,
            "Note so many times a second which line every thread is at: a statistical profile of the whole "
            "program, instrumented or not.",
            option=Option("--sample"), in_host=BEGINS_ANEW),
    Setting("sample_clock", choice("wall", "cpu"), "wall",
            "What samples are of: \"wall\", all time, also that in which a thread waits; or \"cpu\", "
            "processor time.",
            option=Option("--sample-clock"), in_host=BEGINS_ANEW),
    Setting("report_file", PATH, None,
            "Where finalize() writes an HTML report as well, a name in .html; it takes the same fields as "
            "file_path.",
            about=KEPT, option=Option("--report")),
    Setting("track_executors", SWITCH, False,
            "Put what threads of a ThreadPoolExecutor (run_in_executor(), asyncio.to_thread()) and new "
            "threads record below the region that has submitted the work, with the time that it waited to "
            "begin as \"(queued)\".",
            option=Option("--track-executors"), in_host=STAYS_ON),
    Setting("on_slow", LIMITS, None,
            "How many seconds calls of regions may take, by name or pattern (\"request.*\"): one that takes "
            "longer is logged as it ends, by the logger \"scope_profiler\", with its metadata and what ran "
            "inside it.",
            option=Option("--on-slow"), variable="SCOPE_PROFILER_ON_SLOW", in_host=BEGINS_ANEW),
    Setting("slow_callback", FUNCTION, None,
            "What is called with such a call, a CallOverLimit, in its thread, instead of the log. Nothing is "
            "recorded meanwhile, and what it raises is counted.",
            in_host=BEGINS_ANEW),
    Setting("throttle_calls", at_least(1), None,
            "Where functions are traced, time no more than so many calls of one that takes less than "
            "throttle_time: further ones are counted, and the report names them. Not generators and "
            "coroutines, and none where lines are counted.",
            option=Option("--throttle"), in_host=BEGINS_ANEW),
    Setting("throttle_time", SECONDS, 1e-5,
            "How many seconds calls of a function have to take on average for throttle_calls to leave it "
            "alone.",
            option=Option("--throttle-time"), in_host=BEGINS_ANEW),
    Setting("comm", COMMUNICATOR, None,
            "The ranks of MPI that make one result together, as a communicator of mpi4py: what Split() has "
            "made, for solvers that run side by side, each with a file_path of its own. Unless it is given, "
            "all ranks.",
            about=KEPT),
    Setting("record_while", PLACE, None,
            "Record while there is a file of this name, and nothing else: a switch for all processes of the "
            "program, which look for it twice a second.",
            option=Option("--record-while"), variable="SCOPE_PROFILER_RECORD_WHILE",
            in_host=BEGINS_ANEW),
)

#: What setup() and session() take besides: not of the run, but of its beginning.
ARGUMENTS = (
    Setting("auto_finalize", SWITCH, False,
            "Call finalize() when the process ends, by itself or by a SIGTERM for which the program "
            "has no handler.",
            variable="SCOPE_PROFILER_AUTO_FINALIZE"),
    Setting("output", PATH, None,
            "Where finalize() writes, None for nowhere; instead of file_path and "
            "deactivate_file_output.",
            option=Option("-o --output --outfile",
                          "Where to write the results; x.prof, x.speedscope.json, x.trace.json, x.svg "
                          f"and others are for other programs.  [default: {_FILE}]"),
            variable="SCOPE_PROFILER_OUTPUT"),
    Setting("replace", SWITCH, False, "End the run that is active, if any."),
    Setting("region_tags", STRINGS, None, "Record only the regions that have one of these tags.",
            option=Option("--tag", metavar="TAG"), in_host=BEGINS_ANEW),
    Setting("config_path", PATH, None, "Take settings from a TOML file; those given here win.",
            option=Option("--config"), variable="SCOPE_PROFILER_CONFIG"),
)

#: Older spellings, each a switch: {name: that of today's, which means the opposite}.
OPPOSITES = {
    "profiling_activated": "deactivate_profiling",
    "time_trace": "aggregation_mode",
    "flush_to_disk": "deactivate_file_output",
}

SETTINGS = tuple(row for row in TABLE if isinstance(row, Setting))
GROUPS = tuple(row for row in TABLE if isinstance(row, Group))

#: {name: check}
CHECKS = {row.name: row.kind.check for row in SETTINGS}

#: {name: value where nothing is set}
DEFAULTS = {row.name: row.default for row in SETTINGS}

#: Every name by which something can be set.
NAMES = (*CHECKS, *(group.name for group in GROUPS), *OPPOSITES)


def members(group):
    """The settings of a group, by their names in it."""
    found = {row.key.partition(".")[2]: row for row in SETTINGS
             if row.key is not None and row.key.startswith(f"{group.name}.")}
    return {**{name: found[name] for name in group.first}, **found}


def annotation(row):
    """The type of the argument for a row of the table, as text."""
    kind = row.type if isinstance(row, Group) else row.kind.annotation
    return kind if kind == "Any" else f"{kind} | None"


def sections():
    """{heading: the settings that are described under it}"""
    found = {heading: [] for heading in (RECORDED, KEPT, ABSENT)}
    for row in SETTINGS:
        found[ABSENT if row.absent or row.no_effect else row.about].append(row)
    return found
