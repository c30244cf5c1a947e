"""Results in HDF5: schema 3 of scope-profiler, which its own reader opens too.

::

    /                       attributes scope_profiler_schema = 3,
                            storage_layout = "columnar" or "aggregate"
    metadata                facts about the run, as attributes
    region_table/names      str [regions]
    rank_region_index/      one row per (rank, region)
        region_ids, ranks                  u4 [rows]
        event_offsets, event_counts        u8 [rows], into events/*
        source_files, source_lines, source_texts, tags, event_metadata
        exclusive_totals                   i8 [rows] ns, -1 unknown
        summary_statistics                 compound [rows], over the intervals
        aggregate_{counts,totals,minimums,maximums,exclusives}
                                           [rows], in the aggregate layout
        extended_statistics, recorded_statistics
                                           compound [rows], ours; see below
    events/                 one row per call, run after run of a row above
        start_deltas                       i8 [calls] ns, the first of a run absolute
        durations                          i8 [calls] ns
        thread_ids, call_ids, parent_ids   i8 [calls], absent when not recorded for any
                                           region, -1 for regions without
    rank<r>/line_profile/<i>               one group per function

The aggregate layout is that of a run of which no interval was kept.
``extended_statistics`` holds what the schema has no place for: errors and wall
time with recursion counted once; ``recorded_statistics``, where not every call
has its interval, the aggregates over all calls. Other readers pass over them.

Schemas 1 and 2, of earlier releases, are read as well.
"""

from __future__ import annotations

import numpy as np

from ..results import FLOAT_STATISTICS, INTEGER_STATISTICS

SCHEMA = 3

#: Stands for an integer that is not known, where -1 may be known.
UNKNOWN = np.iinfo(np.int64).min

SUMMARY = np.dtype(
    [
        (name, "<i8")
        for name in ("total", "minimum", "maximum", "first", "last", "start_minimum", "end_maximum")
    ]
    + [("gpu_count", "<u8"), ("gpu_total", "<i8"), ("mean", "<f8"), ("m2", "<f8")]
)
EXTENDED = np.dtype([(name, "<i8") for name in ("errors", "inclusive", "exclusive")])
RECORDED = np.dtype(
    [(name, "<i8") for name in INTEGER_STATISTICS] + [(name, "<f8") for name in FLOAT_STATISTICS]
)
