"""Results of a run: immutable, in numpy columns, computed when first asked for.

A `Region` holds the calls that one rank made of one region, an `MPIRegion`
the ranks of one region, and `ProfilingResults` the regions of a run.

Every time is kept as int64 nanoseconds on the axis of ``time.perf_counter_ns()``; the attributes
ending in ``_ns`` give these, the others seconds as floats. No Python object is made per call except
by `events`, and what walks over the calls does so in blocks of `BLOCK` rows, so that ten million
calls need no temporary of their own size.
"""

from .call_rows import CallRows
from .call_stack import (
    CallArrays,
    build_call_arrays,
    build_call_stack,
    call_stack_children,
    call_stack_roots,
)
from .checks import FLOAT_STATISTICS, INTEGER_STATISTICS
from .columns import BLOCK, OPTIONAL_COLUMNS, ascend, blocks, parts_of
from .errors import EventDataUnavailableError, NestingError
from .event_metadata import EventMetadata
from .merge import at_times, merge_processes, merge_results, moved_to_rank
from .mpi_region import MPIRegion
from .profiling_results import ProfilingResults
from .._model.counted_lines import CountedLine
from .._model.recorded import Node, Recorded
from .region import Region, exclusive_totals
from .._model.sketch import Sketch
from .step_series import Drift, StepSeries
from .stored_regions import StoredRegions
from .threads import TaskInfo, ThreadInfo

__all__ = [
    "BLOCK",
    "CallArrays",
    "CallRows",
    "CountedLine",
    "Drift",
    "EventDataUnavailableError",
    "EventMetadata",
    "FLOAT_STATISTICS",
    "INTEGER_STATISTICS",
    "MPIRegion",
    "NestingError",
    "Node",
    "OPTIONAL_COLUMNS",
    "ProfilingResults",
    "Recorded",
    "Region",
    "Sketch",
    "StepSeries",
    "StoredRegions",
    "TaskInfo",
    "ThreadInfo",
    "ascend",
    "at_times",
    "blocks",
    "build_call_arrays",
    "build_call_stack",
    "call_stack_children",
    "call_stack_roots",
    "exclusive_totals",
    "merge_processes",
    "merge_results",
    "moved_to_rank",
    "parts_of",
]
