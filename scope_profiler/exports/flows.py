"""Flows: which calls were caused by a call on another track."""

from __future__ import annotations

import numpy as np

from .timelines import Timeline

_NONE = np.empty(0, np.int64)


class Flows:
    """The calls of a timeline whose parent is on another track, where that is known.

    calls, causes: int64 [flows]: the rows of the calls, and of their parents.
    lane: int32 [calls]: the number of the lane of each call of the timeline; empty without flows.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.calls = self.causes = self.lane = _NONE
        if timeline.parent is None or len(timeline.lanes) < 2:
            return
        self.lane = np.zeros(len(timeline.start_ns), np.int32)
        for lane in timeline.lanes:
            self.lane[lane.rows] = lane.number
        inside = np.flatnonzero(timeline.parent >= 0)
        parents = timeline.parent[inside]
        apart = self.lane[inside] != self.lane[parents]
        # An arrow begins while the call that it comes from is there.
        apart &= timeline.start_ns[inside] <= timeline.end_ns[parents]
        self.calls, self.causes = inside[apart], parents[apart].astype(np.int64)
