"""Tasks of a run, with track_async=True: asyncio and trio tasks and greenlets, each with open calls of
its own.

The coroutine of each new asyncio task is driven through an object that enters the task for each step
(src/record/task.c); the task shows that object as its coroutine, with the coroutine's own name, frame and
code. trio tells of steps itself, and so does greenlet; both have to be imported before
setup(), as has uvloop.
"""

import asyncio
from collections.abc import Coroutine
from functools import update_wrapper
import sys
import weakref

from .. import _core
from .._base.unrecorded import here, unrecorded

Coroutine.register(_core.GeneratorProxy)  # or no task would take it

_watches = []  # the watches that follow new tasks
_patched = {}  # what was there before ours: {(owner, name of the attribute): value}


class TaskWatch:
    """Follows the tasks that are created while it is on."""

    def __init__(self, manager, before=None):
        self._manager = weakref.ref(manager, lambda _: self.stop())
        self._tasks = []
        self._greenlets = None
        self._trio = None
        if before is not None:  # tasks of the run before go on in this one
            self._tasks = [task for task in before._tasks if not task.is_done]

    def start(self):
        """Follow what is created from now on."""
        _watches.append(self)
        if len(_watches) == 1:
            _patch()
        if "greenlet" in sys.modules:
            self._greenlets = _Greenlets(self)
        if "trio" in sys.modules:
            self._trio = _TrioTasks(self)

    def stop(self):
        """Leave new tasks alone. Those that are followed stay so to their end."""
        if self in _watches:
            _watches.remove(self)
            if not _watches:
                _unpatch()
        for others in (self._greenlets, self._trio):
            if others is not None:
                others.stop()

    def follow(self, kind, name):
        """A new task of that name."""
        manager = self._manager()
        if manager is None:
            return None
        task = _Task(manager, kind, name)
        self._tasks.append(task)
        return task

    def forget_done(self, before_ns):
        """Tell no more of tasks that were done before that."""
        known = len(self._tasks)  # others may be added meanwhile
        self._tasks[:known] = [task for task in self._tasks[:known] if not task.was_done(before_ns)]

    def rows(self, origin_ns):
        """The TaskInfo of the tasks that ran in the current run, by number; times from origin_ns
        on."""
        from ..results import TaskInfo

        return [TaskInfo(*row) for row in self.facts(origin_ns)]

    def facts(self, origin_ns):
        """The same as the arguments of TaskInfo, which imports nothing."""
        rows = (task.info(origin_ns) for task in self._tasks)
        return sorted((row for row in rows if row is not None), key=lambda row: row[0])


class _Task:
    """What is known of one task or greenlet."""

    def __init__(self, manager, kind, coro_name):
        # asyncio names a task right after it is made, and it may be gone when we are asked.
        self.core = _core.Task(manager, self._read_name)
        self._kind = kind
        self._coro_name = coro_name
        self._name = coro_name
        self._object = None

    def is_of(self, task):
        """It belongs to this asyncio task."""
        self._object = weakref.ref(task)
        self._read_name()

    def _read_name(self):
        """Whether there is one to read: an eager task runs before we are given it."""
        task = self._object and self._object()
        if task is not None:
            self._name = task.get_name()
        return self._object is not None

    @property
    def is_done(self):
        return self.core.facts()[3] is not None

    def was_done(self, before_ns):
        done = self.core.facts()[3]
        return done is not None and done < before_ns

    def info(self, origin_ns):
        """The arguments of its TaskInfo; None when it has not run in the current run."""
        number, thread, created, done, steps, running, waiting = self.core.facts()
        if number == 0:
            return None
        self._read_name()  # it may have got another one
        return (
            number - 1, 0, self._kind, self._name, self._coro_name, thread, created - origin_ns,
            None if done is None else done - origin_ns, steps, running, waiting,
        )


def _patch():
    for loop_type in _loop_types():
        _replace(loop_type, "create_task", _create_task_after(loop_type.create_task))
    if "trio" in sys.modules:
        import trio

        for owner, name in ((trio, "run"), (trio.lowlevel, "start_guest_run")):
            _replace(owner, name, _run_after(getattr(owner, name)))


def _unpatch():
    for (owner, name), before in _patched.items():
        # Unless someone has come over it: then ours stays, and follows nothing.
        if getattr(getattr(owner, name), "__wrapped__", None) is before:
            setattr(owner, name, before)
    _patched.clear()


def _replace(owner, name, ours):
    _patched[owner, name] = getattr(owner, name)
    setattr(owner, name, update_wrapper(ours, getattr(owner, name)))


def _loop_types():
    """The classes of event loops that have a create_task() of their own."""
    yield asyncio.BaseEventLoop
    uvloop = sys.modules.get("uvloop")
    if uvloop is not None:
        yield uvloop.Loop


def _create_task_after(before):
    def create_task(self, coro, **kwargs):
        followed = []
        with here:
            if asyncio.iscoroutine(coro):
                name = getattr(coro, "__qualname__", type(coro).__qualname__)
                for watch in _watches:
                    task = watch.follow("task", name)
                    if task is not None:
                        followed.append(task)
                        coro = _core.GeneratorProxy.of_task(task.core, coro)
        task = before(self, coro, **kwargs)
        with here:
            for each in followed:
                each.is_of(task)
        return task

    return create_task


def _run_after(before):
    """trio.run() and the like, with our instruments."""

    def run(*args, instruments=(), **kwargs):
        ours = [watch._trio for watch in _watches if watch._trio is not None]
        return before(*args, instruments=[*instruments, *ours], **kwargs)

    return run


class _TrioTasks:
    """The tasks of trio, as one of its instruments. A task that has been entered is left, also when
    following stops in between."""

    def __init__(self, watch):
        self._watch = watch
        self._is_on = True
        self._tasks = weakref.WeakKeyDictionary()
        self._entered = weakref.WeakSet()
        self._done = weakref.WeakSet()

    def stop(self):
        self._is_on = False

    @unrecorded
    def before_task_step(self, task):
        followed = self._tasks.get(task)
        if followed is None and self._is_on:
            followed = self._watch.follow("task", task.coro.__qualname__)
            if followed is not None:
                followed._name = task.name
                self._tasks[task] = followed
        if followed is not None:
            followed.core.enter()
            self._entered.add(task)

    @unrecorded
    def task_exited(self, task):
        self._done.add(task)

    @unrecorded
    def after_task_step(self, task):
        if task in self._entered:
            self._entered.discard(task)
            self._tasks[task].core.leave(task in self._done)


class _Greenlets:
    """The greenlets of the thread that it is made in."""

    def __init__(self, watch):
        import greenlet

        self._greenlet = greenlet
        self._watch = watch
        self._is_on = True
        self._tasks = weakref.WeakKeyDictionary()
        self._before = greenlet.settrace(self._switched)

    def stop(self):
        """Take the trace function out, with those below it that are off. When another is on top, ours
        stays below it, and passes on each event."""
        self._is_on = False
        top = trace = self._greenlet.gettrace()
        while isinstance(ours := getattr(trace, "__self__", None), _Greenlets) and not ours._is_on:
            trace = ours._before
        if trace != top:
            self._greenlet.settrace(trace)

    def _switched(self, event, args):
        if event in ("switch", "throw"):
            with here:
                self._follow(*args)
        if self._before is not None:
            self._before(event, args)

    def _follow(self, origin, target):
        task = self._tasks.get(origin)
        if task is not None:
            task.core.leave(origin.dead)
        if target.parent is not None:  # the main one is the thread itself
            task = self._task_of(target)
            if task is not None:
                task.core.enter()

    def _task_of(self, target):
        task = self._tasks.get(target)
        if task is None and self._is_on:
            name = getattr(getattr(target, "run", None), "__qualname__", "greenlet")
            task = self._watch.follow("greenlet", name)
            if task is not None:
                self._tasks[target] = task
        return task
