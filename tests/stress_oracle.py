"""What the calls of one thread have to come to, in plain Python: the rules of docs/architecture.md
written down a second time, and nothing of the profiler's in them.

An Oracle is told of every entry and exit in the order in which they happen. It keeps a few bytes
for each call, in arrays, so that millions of calls fit.
"""

from array import array

ROOT = [-1, 0, -1]  # the call around all calls: its number, its node, its region
OTHER_PATHS = -2  # the region of nodes below which paths are not told apart
BOUND = 1 << 14  # nodes of a tree from which on there are such


class Tree:
    """Paths: by node, of which 0 is the root, its parent, its region, and the calls that ended."""

    def __init__(self):
        self.parents, self.regions = [-1], [-1]
        self.calls, self.errors = [0], [0]
        self._children = {}  # (node, region): node
        self._known = set()  # regions that have a node

    def child(self, node, region):
        """The node of the region entered at that node: recursion is folded."""
        try:
            return self._children[node, region]
        except KeyError:
            pass
        above = node
        while above > 0 and self.regions[above] != region:
            above = self.parents[above]
        if above <= 0:
            above = self._new_path(node, region)
        self._children[node, region] = above
        return above

    def _new_path(self, node, region):
        bounded = len(self.regions) >= BOUND and region in self._known
        if bounded or self._is_other(node):
            node = self._other_paths(node)
        return self._get_or_grow(node, region)

    def _is_other(self, node):
        return self.regions[self.parents[node]] == OTHER_PATHS

    def _other_paths(self, node):
        while self.parents[node] > 0:
            node = self.parents[node]
        if self.regions[node] == OTHER_PATHS:
            return node
        return self._get_or_grow(node, OTHER_PATHS)

    def _get_or_grow(self, node, region):
        if (node, region) not in self._children:
            self._children[node, region] = len(self.regions)
            self._known.add(region)
            self.parents.append(node)
            self.regions.append(region)
            self.calls.append(0)
            self.errors.append(0)
        return self._children[node, region]

    def merge(self, other):
        """Take in the calls of another tree."""
        placed = [0]
        for node in range(1, len(other.regions)):
            parent, region = placed[other.parents[node]], other.regions[node]
            if region == OTHER_PATHS:
                at = self._other_paths(parent)
            elif other._is_other(node):
                at = self._get_or_grow(self._other_paths(parent), region)
            else:
                at = self.child(parent, region)
            placed.append(at)
            self.calls[at] += other.calls[node]
            self.errors[at] += other.errors[node]

    def paths(self):
        """[path of each node], a tuple of regions from the outermost on; () for the root."""
        paths = [()]
        for parent, region in zip(self.parents[1:], self.regions[1:]):
            paths.append((*paths[parent], region))
        return paths


class Lane:
    """An asyncio task, or what a thread runs outside of tasks: open calls, innermost last; the
    decorated coroutines among them, outermost first; generators that it has suspended."""

    def __init__(self, number, stack):
        self.number = number
        self.stack = stack
        self.chain = []
        self.pool = []


class Oracle:
    """Calls of one thread. A call is a list [number in the order of entries, node, region]."""

    def __init__(self, lanes_apart):
        self.lanes_apart = lanes_apart  # each task has a stack of its own
        self.home = self.lane = Lane(0, [list(ROOT)])
        self.stack = self.home.stack
        self.lanes = 1
        self.begun = 0
        # By call: its region, the number of the call around it or -1, its lane,
        self.regions, self.parents, self.lane_numbers = array("H"), array("i"), array("i")
        # and all entries and exits in their order: number, or -1 - number.
        self.order = array("i")
        # Calls whose children need not fit into them side by side.
        self.overlapped = set()
        self.tree = Tree()

    def enter(self, region):
        """A call begins; gives it."""
        around = self._around()
        if around is not self.stack[-1]:
            self.overlapped.add(around[0])
        call = [self.begun, self.tree.child(around[1], region), region]
        self.order.append(self.begun)
        self.begun += 1
        self.regions.append(region)
        self.parents.append(around[0])
        self.lane_numbers.append(self.lane.number)
        self.stack.append(call)
        return call

    def _around(self):
        """What is entered now is inside this: of the first call of a task, what its loop runs in."""
        outside = len(self.stack) == 1 and not self.lanes_apart
        return self.home.stack[-1] if outside else self.stack[-1]

    def leave(self, call, failed):
        """It ends."""
        if self.stack[-1] is call:
            self.stack.pop()
        else:
            self._take_out(call)
        self.order.append(-1 - call[0])
        self.tree.calls[call[1]] += 1
        if failed:
            self.tree.errors[call[1]] += 1

    def pause(self, call):
        """A step of a generator's or coroutine's call is over, not the call."""
        if self.stack[-1] is call:
            self.stack.pop()
        else:
            self._take_out(call)
        self.overlapped.add(self.parents[call[0]])

    def step(self, call):
        """The call goes on, perhaps elsewhere: its node is where its last step ran."""
        call[1] = self.tree.child(self._around()[1], call[2])
        self.stack.append(call)

    def _take_out(self, call):
        place = max(i for i, other in enumerate(self.stack) if other is call)
        self.overlapped.update(other[0] for other in self.stack[place - 1 :])
        del self.stack[place]

    # ---- Tasks

    def new_lane(self):
        """Of a task; where they are not tracked, with the number of the thread."""
        if not self.lanes_apart:
            return Lane(0, [list(ROOT)])
        self.lanes += 1
        return Lane(self.lanes - 1, [list(ROOT)])

    def go_to(self, lane):
        """That lane runs from now on."""
        self.lane, self.stack = lane, lane.stack

    def rest(self):
        """The lane gives way; what its coroutines run is over for now."""
        for call in reversed(self.lane.chain):
            self.pause(call)
        self.go_to(self.home)

    def wake(self, lane):
        """It goes on."""
        self.go_to(lane)
        for call in lane.chain:
            self.step(call)


def merged(oracles):
    """{path: (calls, errors)} of several threads, one after the other, without nodes where no call
    ended."""
    tree = Tree()
    for oracle in oracles:
        tree.merge(oracle.tree)
    return {path: (calls, errors)
            for path, calls, errors in zip(tree.paths(), tree.calls, tree.errors) if calls}
