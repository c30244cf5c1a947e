"""The profiler once more, in plain Python: what docs/architecture.md says of regions, calls, steps
and threads, with no thought of speed and nothing of src/.

A Model is used like a ProfileManager: profile_region(), profile(), pause(), ... Its clock is a
number that its user moves.
"""

from collections import defaultdict
import contextlib
from functools import wraps
import inspect
import sys
import threading


class Scope:
    """A call that is open, or a step of one."""

    def __init__(self, region, key, node, start, nested):
        self.region, self.key, self.node, self.start = region, key, node, start
        self.nested = nested
        self.own = 0  # for how long it was the innermost
        self.failed = False


class Thread:
    """What one thread has open, innermost last, and the time up to which it is charged."""

    def __init__(self, number):
        self.number = number
        self.scopes = []
        self.charged = 0

    def charge(self, now):
        """Time passed: it was that of the innermost call."""
        if self.scopes:
            self.scopes[-1].own += now - self.charged
        self.charged = now

    def path(self, name):
        """The path of a region entered now: recursion is folded."""
        around = self.scopes[-1].node if self.scopes else ()
        return around[: around.index(name) + 1] if name in around else (*around, name)

    def find(self, region, key):
        for scope in reversed(self.scopes):
            if scope.region is region and scope.key is key:
                return scope
        return None

    def newest(self, region):
        for scope in reversed(self.scopes):
            if scope.region is region:
                return scope
        return None


class Node:
    """The finished calls of one path."""

    def __init__(self):
        self.calls = self.errors = self.total = self.every = self.exclusive = self.waiting = 0
        self.stepped = 0  # calls of generators, whose waiting is known
        self.minimum, self.maximum = None, 0

    def record(self, duration, own, waited, nested, failed):
        self.calls += 1
        self.errors += failed
        self.every += duration
        self.exclusive += own
        if not nested:
            self.total += duration
            self.waiting += waited
        self.maximum = max(self.maximum, duration)
        self.minimum = duration if self.minimum is None else min(self.minimum, duration)


class Run:
    """What is recorded from one setup() to the next."""

    def __init__(self):
        self.threads = []
        self.nodes = defaultdict(Node)
        self.events = defaultdict(list)  # (region's name, thread): [(start, duration, path), ...]
        self.unmatched = self.moved = 0
        self.here = threading.local()


class Model:
    def __init__(self):
        self.now = 1_000
        self.run = None
        self.recording = False
        self._regions = {}

    def tick(self, ns):
        self.now += ns

    # ---- Life cycle

    def setup(self):
        self.run, self.recording = Run(), True

    def forked(self):
        self.run = Run()

    def pause(self):
        self.recording = False

    def resume(self):
        self.recording = True

    # ---- Calls

    def profile_region(self, name):
        return self._regions.setdefault(name, Region(self, name))

    def _thread(self):
        """This thread's state, made when it is missing."""
        here = self.run.here
        if not hasattr(here, "thread"):
            here.thread = Thread(len(self.run.threads))
            self.run.threads.append(here.thread)
        return here.thread

    def has_open(self):
        """Whether this thread has a call open."""
        thread = getattr(self.run.here, "thread", None)
        return thread is not None and bool(thread.scopes)

    def enter(self, region, key):
        thread = self._thread()
        thread.charge(self.now)
        node = thread.path(region.name)
        nested = any(scope.region is region for scope in thread.scopes)
        scope = Scope(region, key, node, self.now, nested)
        thread.scopes.append(scope)
        return scope

    def _take(self, scope, thread):
        """It ends: out of the stack."""
        thread.charge(self.now)
        place = next(i for i, other in enumerate(thread.scopes) if other is scope)
        del thread.scopes[place]
        alike = [other for other in thread.scopes[place:] if other.region is scope.region]
        if alike:  # the next one takes its place: it was inside it, and is not any longer
            alike[0].nested = scope.nested

    def leave_step(self, steps):
        """The scope of the step that ends; None when its run is over."""
        here = getattr(self.run.here, "thread", None)
        scope = here and here.find(steps.region, steps)
        if scope is not None:
            self._take(scope, here)
        return scope

    def _find(self, region, key):
        """(The scope that ends with that activation or None, the thread that has it). It may have
        moved to this thread. What is left by hand may have been entered by another one."""
        here = getattr(self.run.here, "thread", None)
        others = [thread for thread in self.run.threads if thread is not here and key]
        for thread in [here, *others] if here else others:
            scope = thread.find(region, key)
            if scope is not None:
                self.run.moved += thread is not here
                return scope, thread
        return (here.newest(region) if here and _by_hand(key) else None), here

    def leave(self, region, key, failed):
        scope, thread = self._find(region, key)
        if scope is None:
            self.run.unmatched += self.recording
        else:
            self._take(scope, thread)
            duration = self.now - scope.start
            self.run.nodes[scope.node].record(duration, scope.own, 0, scope.nested, failed)
            self.run.events[region.name, thread.number].append((scope.start, duration, scope.node))

    def profile(self, name):
        region = self.profile_region(name)

        def decorate(function):
            if inspect.isgeneratorfunction(function):
                return _generator(region, function)
            if inspect.iscoroutinefunction(function):
                return _coroutine(region, function)
            if inspect.isasyncgenfunction(function):
                return _async_generator(region, function)
            return _function(region, function)

        return decorate

    # ---- Results

    def facts(self):
        """See region_programs.Real.facts()."""
        open_scopes = [scope for thread in self.run.threads for scope in thread.scopes]
        nodes = {}
        for path in self.run.nodes.keys() | {scope.node for scope in open_scopes}:
            node = self.run.nodes.get(path) or Node()
            nodes[path] = (node.calls, node.errors, sum(s.node == path for s in open_scopes),
                           node.total, node.every, node.exclusive, node.minimum or 0,
                           node.maximum, node.waiting if 0 < node.stepped == node.calls else None)
        counters = {
            "calls": sum(node.calls for node in self.run.nodes.values()),
            "open": len(open_scopes),
            "unmatched": self.run.unmatched,
            "moved": self.run.moved,
            "threads": len(self.run.threads),
        }
        events = {key: list(calls) for key, calls in self.run.events.items()}
        return nodes, events, counters

    def finalize(self):
        totals = defaultdict(lambda: [0, 0, 0])
        for (*_, name), node in self.run.nodes.items():
            for i, value in enumerate((node.calls, node.errors, node.every)):
                totals[name][i] += value
        return {name: tuple(values) for name, values in totals.items() if values[0]}


def _activation(frame):
    """The frame that runs the `with`; None where it is an ExitStack's, which tells nothing."""
    return None if frame.f_code.co_filename == contextlib.__file__ else frame


def _by_hand(activation):
    """Whether it is not a `with` statement of this activation that leaves."""
    return activation is None or getattr(activation, "f_code", None) is leave_by_hand.__code__


def leave_by_hand(region):
    """What calls __exit__ by hand goes through this, so that the model can tell."""
    region.__exit__(None, None, None)


class Region:
    def __init__(self, model, name):
        self.model, self.name = model, name

    def __enter__(self):
        if self.model.recording:
            self.model.enter(self, _activation(sys._getframe(1)))
        return self

    def __exit__(self, kind, *_):
        if self.model.recording or self.model.has_open():  # which ends while it pauses
            self.model.leave(self, _activation(sys._getframe(1)), kind is not None)


# ---- Decorated functions


def _function(region, function):
    @wraps(function)
    def profiled(*args):
        model = region.model
        if not model.recording:
            return function(*args)
        key, failed = object(), True
        model.enter(region, key)
        try:
            result = function(*args)
            failed = False
            return result
        finally:
            model.leave(region, key, failed)

    return profiled


class Steps:
    """One call that runs in steps: from the beginning of the first to the end of the last. Its own
    time is what ran in them."""

    def __init__(self, region):
        self.region, self.model = region, region.model
        self.run = None  # in which it began
        self.over = False
        self.start = self.running = self.own = 0
        self.nested = False

    def step(self, resume, *args, returning_ends=True, raising=(), begins=True):
        """resume(*args) as a step. It is the last when it raises, but what is in `raising`; or when
        it returns at all, if that is how the thing ends. begins: it may be the call's first."""
        if self.over or self.run is None and not (begins and self.model.recording):
            return resume(*args)
        scope = self.model.enter(self.region, self)
        if self.run is None:
            self.run, self.start, self.nested = self.model.run, scope.start, scope.nested
        begun = self.model.now
        try:
            result = resume(*args)
        except raising:
            self._end(begun, False, False)
            raise
        except (StopIteration, StopAsyncIteration, GeneratorExit):
            self._end(begun, True, False)
            raise
        except BaseException:
            self._end(begun, True, True)
            raise
        self._end(begun, returning_ends, False)
        return result

    def _end(self, begun, last, failed):
        self.over |= last
        model = self.model
        scope = model.leave_step(self)
        if scope is None:
            return
        self.running += model.now - scope.start
        self.own += scope.own
        if not last or self.run is not model.run:
            return
        duration = model.now - self.start
        model.run.nodes[scope.node].stepped += 1
        model.run.nodes[scope.node].record(
            duration, self.own, duration - self.running, self.nested, failed
        )
        thread = model._thread().number
        model.run.events[self.region.name, thread].append((self.start, duration, scope.node))


def _drive(steps, inner):
    """A generator that does what `yield from inner` does, each resumption a step."""
    resume, value = inner.send, None
    while True:
        try:
            item = steps.step(resume, value, returning_ends=False, begins=resume == inner.send)
        except StopIteration as stop:
            return stop.value
        try:
            resume, value = inner.send, (yield item)
        except GeneratorExit:
            steps.step(inner.close, begins=False)
            raise
        except BaseException as error:
            resume, value = inner.throw, error


def _generator(region, function):
    @wraps(function)
    def profiled(*args):
        return (yield from _drive(Steps(region), function(*args)))

    return profiled


class _Awaitable:
    def __init__(self, generator):
        self.generator = generator

    def __await__(self):
        return self.generator


def _coroutine(region, function):
    @wraps(function)
    async def profiled(*args):
        return await _Awaitable(_drive(Steps(region), function(*args)))

    return profiled


def _async_generator(region, function):
    """What runs in its steps must not wait: each is one send()."""

    @wraps(function)
    async def profiled(*args):
        inner, steps = function(*args), Steps(region)
        awaited, begins = inner.__anext__(), True
        while True:
            try:
                steps.step(awaited.send, None, raising=StopIteration, begins=begins)
            except StopIteration as step:
                item = step.value
            except StopAsyncIteration:
                return
            try:
                sent = yield item
            except GeneratorExit:
                try:
                    steps.step(inner.aclose().send, None, begins=False)
                except StopIteration:
                    pass
                raise
            except BaseException as error:
                awaited, begins = inner.athrow(error), False
            else:
                awaited, begins = inner.asend(sent), True

    return profiled
