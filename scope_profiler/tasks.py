"""Tasks of a run, with track_async=True: asyncio tasks and greenlets, each a lane of its own.

The coroutine of each new task is driven through an object that enters the task's lane for each
step (src/lane.c); the task shows that object as its coroutine, with the coroutine's own name,
frame and code. Greenlets are followed by greenlet's trace function.
"""

import asyncio
from collections.abc import Coroutine
import sys
import weakref

from . import _core

Coroutine.register(_core.Steps)  # or no task would take it

_watches = []  # those that are told of new tasks
_create_task = None  # what was there before ours


class TaskWatch:
    """Follows the tasks that are created while it is on."""

    def __init__(self, manager, before=None):
        self._manager = weakref.ref(manager)
        self._tasks = []
        self._greenlets = None
        if before is not None:  # tasks of the run before go on in this one
            self._tasks = [task for task in before._tasks if not task.is_done]

    def start(self):
        """Follow what is created from now on."""
        _watches.append(self)
        if len(_watches) == 1:
            _patch()
        if "greenlet" in sys.modules:
            self._greenlets = _Greenlets(self)

    def stop(self):
        """Leave new tasks alone. Those that are followed stay so to their end."""
        if self in _watches:
            _watches.remove(self)
            if not _watches:
                _unpatch()
        if self._greenlets is not None:
            self._greenlets.stop()

    def follow(self, kind, name):
        """A new task of that name."""
        manager = self._manager()
        if manager is None:
            return None
        task = _Task(manager, kind, name)
        self._tasks.append(task)
        return task

    def rows(self, origin_ns):
        """The TaskInfo of the tasks that ran in the current run, by number; times from origin_ns
        on."""
        rows = (task.info(origin_ns) for task in self._tasks)
        return sorted((row for row in rows if row is not None), key=lambda row: row.index)


class _Task:
    """What is known of one task or greenlet."""

    def __init__(self, manager, kind, coro_name):
        # asyncio names a task right after it is made, and it may be gone when we are asked.
        self.lane = _core.Lane(manager, self._read_name)
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
        return self.lane.facts()[3] is not None

    def info(self, origin_ns):
        """Its TaskInfo; None when it has not run in the current run."""
        from .results import TaskInfo

        number, thread, created, done, steps, running, waiting = self.lane.facts()
        if number == 0:
            return None
        self._read_name()  # it may have got another one
        return TaskInfo(
            number - 1, 0, self._kind, self._name, self._coro_name, thread, created - origin_ns,
            None if done is None else done - origin_ns, steps, running, waiting,
        )


def _patch():
    global _create_task
    loop_type = asyncio.BaseEventLoop
    _create_task = loop_type.create_task

    def create_task(self, coro, **kwargs):
        followed = []
        if asyncio.iscoroutine(coro):
            name = getattr(coro, "__qualname__", type(coro).__qualname__)
            for watch in _watches:
                task = watch.follow("task", name)
                if task is not None:
                    followed.append(task)
                    coro = _core.Steps.of_task(task.lane, coro)
        task = _create_task(self, coro, **kwargs)
        for each in followed:
            each.is_of(task)
        return task

    create_task.__wrapped__ = _create_task
    loop_type.create_task = create_task


def _unpatch():
    # Unless someone has come over it: then ours stays, and follows nothing.
    if getattr(asyncio.BaseEventLoop.create_task, "__wrapped__", None) is _create_task:
        asyncio.BaseEventLoop.create_task = _create_task


class _Greenlets:
    """The greenlets of the thread that it is made in."""

    def __init__(self, watch):
        import greenlet

        self._greenlet = greenlet
        self._watch = watch
        self._tasks = weakref.WeakKeyDictionary()
        self._before = greenlet.settrace(self._switched)

    def stop(self):
        if self._greenlet.gettrace() == self._switched:
            self._greenlet.settrace(self._before)

    def _switched(self, event, args):
        if event in ("switch", "throw"):
            origin, target = args
            task = self._tasks.get(origin)
            if task is not None:
                task.lane.leave(origin.dead)
            if target.parent is not None:  # the main one is the thread itself
                self._task_of(target).lane.enter()
        if self._before is not None:
            self._before(event, args)

    def _task_of(self, target):
        task = self._tasks.get(target)
        if task is None:
            name = getattr(getattr(target, "run", None), "__qualname__", "greenlet")
            task = self._tasks[target] = self._watch.follow("greenlet", name)
        return task
