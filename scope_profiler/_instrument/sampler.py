"""The sampler of a run: it is begun and ended here, and what it has counted becomes plain data."""

import os
import struct

from .. import _core
from .._base.interpreter import threads
from .._model.samples import FUNCTION, OTHER, REGION, TASK, THREAD, Place, of_stacks, together

_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")

# Kinds of nodes as the core has them (sampler/sample_tree.h); from the last on they are lines of code.
_THREAD, _TASK, _REGION, _MORE, _UNKNOWN, _CODE = range(6)


class RunSampler:
    """The sampler of a manager's run.

    hz: ticks a second. clock: "wall" or "cpu". Raises RuntimeError where the system does not allow it.
    """

    def __init__(self, hz, clock):
        self.hz, self.clock = hz, clock
        self._sampler = None
        self._parts = []
        _core.check_sampler()

    def start(self, manager, by_hand=False):
        """Sample from now on the run that has begun. by_hand: only when tick() is called, for tests."""
        self._sampler = _core.Sampler(manager, round(1e9 / self.hz), self.clock == "cpu")
        if not by_hand:
            self._sampler.start()

    def tick(self):
        """Take a sample of each thread now."""
        self._sampler.tick()

    def stop(self):
        """Sample no longer; what was counted stays."""
        self._sampler.stop()

    def parts(self, manager, start_over=False):
        """What was counted up to now, for samples(). start_over: it does not count again."""
        parts = [*self._parts, (self._sampler.take(manager), _thread_names())]
        self._parts = [] if start_over else parts
        return parts

    def samples(self, parts):
        """The Samples of these parts."""
        return together(self._of_part(*part) for part in parts)

    def _of_part(self, taken, names):
        (ticks, instants, _, missed, unreadable), codes, of_threads, regions, nodes = taken
        rows = list(struct.iter_unpack("4Q", nodes))
        paths = [()]
        stacks = []
        for parent, kind, number, count in rows[1:]:
            paths.append((*paths[parent], *_places(kind, number, codes, of_threads, regions, names)))
            if count:
                stacks.append((paths[-1], count))
        return of_stacks(_of_program(stacks), hz=self.hz, clock=self.clock, ticks=ticks,
                         instants=instants, missed=missed, unreadable=unreadable)


def _places(kind, number, codes, of_threads, regions, names):
    """What a node stands for: one Place, of a region one for each on the path to it."""
    if kind >= _CODE:
        file, name, first = codes[kind - _CODE]
        if not file.startswith(_PACKAGE):  # what is ours is not recorded
            yield Place(FUNCTION, name, file, first, number)
    elif kind == _THREAD:
        identifier, native = of_threads[number]
        yield Place(THREAD, names.get(identifier) or f"thread {native}")
    elif kind == _TASK:
        yield Place(TASK, f"task {number}")
    elif kind == _REGION:
        for name in regions[number]:
            yield Place(REGION, name)
    else:
        yield Place(OTHER, "(outer frames)" if kind == _MORE else "(unreadable)")


def _of_program(stacks):
    """Those with anything of the program in them."""
    for stack, count in stacks:
        if any(place.kind in (FUNCTION, OTHER) for place in stack):
            yield stack, count


def _thread_names():
    """{identifier: name} of the threads that run."""
    return {thread.ident: thread.name for thread in threads()}
