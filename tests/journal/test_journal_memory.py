"""What a journal takes of the memory of its process: little, however many calls there are."""

import re
import sys
from collections import deque
from itertools import repeat

import numpy as np
import pytest

from scope_profiler import ProfileManager
from scope_profiler._base.room import Room, rest, room

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")

CALLS = 500_000  # 8 MB


def resident(name):
    """Bytes of mapped files with this in their names that are in memory."""
    found = 0
    with open("/proc/self/smaps") as file:
        for line in file:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                is_wanted = name in line
            elif is_wanted and line.startswith("Rss:"):
                found += 1024 * int(line.split()[1])
    return found


@pytest.fixture
def manager(tmp_path):
    manager = ProfileManager()
    manager.setup(output=tmp_path / "out.json", journal=True, verbose=False)
    yield manager
    manager.reset()


def call(manager, times):
    deque(map(manager.profile("r")(abs), repeat(-1, times)), 0)


def test_full_blocks_are_in_the_file_alone(manager):
    call(manager, CALLS)
    assert resident(".journal") < 3 << 20  # the block at hand, and what is ready for the next one
    results = manager.snapshot()["r"]
    assert resident(".journal") < 3 << 20  # as each is given back when it has been read
    assert results.num_events == CALLS
    assert (results[0].durations_ns >= 0).all() and (np.diff(results[0].start_times_ns) > 0).all()


def test_what_rests_in_a_room_leaves_memory_and_stays(tmp_path):
    of = room(tmp_path, 8 << 20)
    values = np.frombuffer(of, np.int64)
    values[:] = np.arange(len(values))
    name = str(tmp_path)
    assert resident(name) == 8 << 20
    rest(values[1000:1512])
    assert (8 << 20) - resident(name) == 12288
    rest(values.view()[1 << 19 :])
    assert resident(name) == (2 << 20) - 12288
    rest(values)
    assert resident(name) == 0
    assert (values == np.arange(len(values))).all()
    rest(values[:0])


def test_other_arrays_stay_as_they_are():
    for values in (np.arange(1 << 16), np.frombuffer(bytearray(1 << 20), np.int64)):
        kept = values.copy()
        rest(values)
        assert (values == kept).all()
    assert not isinstance(values.base, Room)
