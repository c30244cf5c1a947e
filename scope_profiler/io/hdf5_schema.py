"""Results in HDF5: schema 3 of scope-profiler, which its own reader opens too.

::

    /                       attributes scope_profiler_schema = 3,
                            storage_layout = "columnar" or "aggregate",
                            num_ranks, event_data_available
    metadata                facts about the run, as attributes
    region_table/names      str [regions]
    rank_region_index/      one row per (rank, region)
        region_ids, ranks                  u4 [rows]
        event_offsets, event_counts        u8 [rows], into events/*
        source_files, source_lines, source_texts, tags
        event_metadata                     str [rows], JSON: an object per call, or []
        exclusive_totals                   i8 [rows] ns, -1 unknown
        summary_statistics                 compound [rows], over the intervals
        aggregate_{counts,totals,minimums,maximums,exclusives}
                                           [rows], in the aggregate layout
        extended_statistics, recorded_statistics
                                           compound [rows], ours; see below
        metadata_tables                    i8 [rows], ours: a table, -1 for none
    events/                 one row per call, run after run of a row above
        start_deltas                       i8 [calls] ns, the first of a run absolute
        durations                          i8 [calls] ns
        thread_ids, task_ids, await_ns, call_ids, parent_ids
                                           i8 [calls], absent when not recorded for any
                                           region, -1 for regions without (await_ns 0)
        metadata_ids                       i4 [calls], ours: a row of the table, -1 for none
        node_ids                           i2 or i4 [calls], ours: the place of each call in
                                           recorded/nodes, of those of its rank
    event_metadata/<i>      u1 [bytes], ours: a table, as a JSON list of objects
    thread_table/, task_table/             one row per thread or task of a rank:
        ranks, index, name, start_ns ...   [rows], times since the setup, -1 unknown
    rank<r>/line_profile/<i>               one group per function
        line_numbers, hits, times          [lines]
        waiting_ns ...                     f8 [lines], ours, where measured: see `CountedLine`;
                                           NaN unknown
        sketches                           f8 [n, 4], ours, where measured: how long hits took, see
                                           `line_entries`
    recorded/               ours, where known: the recorder's trees, see `recorded_tables`
        names, nodes                       str, compound [nodes]
        sketch_values, sketch_counts       f8, i8: how long calls took, node after node
        facts                              str [ranks], JSON
        quantities, work                   str, compound: what was added to regions; only where
                                           something was
        counter_names, counters            str, compound: values of counters over time; only where
                                           there are some

The aggregate layout is that of a run of which no interval was kept.

What is ours other readers pass over. ``extended_statistics`` holds what the
schema has no place for: errors, wall time with recursion counted once, times
less what measuring took, and which of the optional columns were recorded;
``recorded_statistics`` the aggregates over all calls, as they were counted.
``event_metadata`` in the index, which repeats each mapping for each call, is
written for regions of up to 65 536 calls. A text that HDF5 cannot hold as it
is, is there a second time as JSON: in a column or attribute group whose name
ends in ``_exact``.

Schemas 1 and 2, of earlier releases, are read as well.
"""

from __future__ import annotations

import numpy as np

from ..results import FLOAT_STATISTICS, INTEGER_STATISTICS
from .region_rows import EXTENDED_NAMES

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
EXTENDED = np.dtype([(name, "<i8") for name in (*EXTENDED_NAMES, "columns")])
RECORDED = np.dtype(
    [(name, "<i8") for name in INTEGER_STATISTICS] + [(name, "<f8") for name in FLOAT_STATISTICS]
)

#: In the "columns" of `EXTENDED`: which of the optional columns were recorded for the region.
COLUMN_BITS = {"thread_ids": 1, "task_ids": 2, "await_ns": 4, "call_ids": 8, "parent_ids": 16,
               "node_ids": 32}

#: The columns of the aggregate layout, and the attributes of a region that they are.
AGGREGATES = {
    "count": "num_calls",
    "total": "total_duration_ns",
    "minimum": "min_duration_ns",
    "maximum": "max_duration_ns",
}
