"""Tasks of a Dask cluster (`distributed`) as regions.

    with scope_profiler.dask.session(client) as run:
        ...
    run.results.print_summary()

Each process of the cluster records the tasks that it runs, each a call of a region with the name that Dask's
dashboard shows for it, what the task records itself below that, and a track for each of its threads.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
from threading import Lock
from time import perf_counter
from typing import Any, Literal, Self

from distributed import Client, WorkerPlugin, worker as _worker
from distributed.utils import key_split

from ._base.arguments import not_negative
from ._base.patches import Patches
from ._run.runs import _Root
from .config.resolve import resolve
from .manager import ProfileManager
from .results import ProfilingResults, merge_processes

_COST = 20  # between two messages is so many times what it takes to make one

_sessions = 0


class session:
    """A run of all processes of a cluster, as a context manager. `results` has it afterwards: the
    ProfilingResults, each process with tasks as a rank; or None when there were none.

    client: a distributed.Client, not an asynchronous one. output: where the results are written; None for
    nowhere. interval: seconds. A worker sends what it has so far when that has passed, for a worker that is
    killed; seldomer, where that would take more than a twentieth of the time. settings: those of setup(), for
    each process; track_threads=True unless they say otherwise.

    Workers that join later record, too, and those that are restarted or closed leave what they have. Where
    a worker's process has a run already, as that of the client has with LocalCluster(processes=False), the
    tasks are in that run, and it goes on; its results are here, too.

    Raises TypeError or ValueError for arguments that are not that, RuntimeError for a version of distributed
    before 2024.12, and when it is entered twice.
    """

    def __init__(self, client: Client, *, output: Any = None, interval: float = 1.0,
                 **settings: Any) -> None:
        global _sessions
        if not isinstance(client, Client) or client.asynchronous:
            raise TypeError(f"client takes a distributed.Client that is not asynchronous, got {client!r}")
        if not hasattr(_worker, "_run_task_simple"):
            raise RuntimeError("scope_profiler.dask needs distributed 2024.12 or newer")
        _sessions += 1
        settings = {"track_threads": True, **settings}
        resolve(None, settings, output=output)
        self._client, self._output = client, output
        self._plugin = _Recording(f"scope-profiler-{os.getpid()}-{_sessions}",
                                  not_negative("interval", interval), settings)
        self._left: dict[tuple[str, int], tuple[int, bytes]] = {}
        self._is_entered = False
        self.results: ProfilingResults | None = None

    def __enter__(self) -> Self:
        if self._is_entered:
            raise RuntimeError("a session is entered once")
        self._is_entered = True
        self._client.subscribe_topic(self._plugin.name, self._take)
        self._client.register_plugin(self._plugin, name=self._plugin.name)
        return self

    def __exit__(self, *exception: object) -> Literal[False]:
        name = self._plugin.name
        for part in self._client.run(_part_of, name, on_error="ignore").values():
            if isinstance(part, dict):
                self._keep(part)
        self._client.unregister_worker_plugin(name)
        self._client.unsubscribe_topic(name)
        parts = [pickle.loads(results) for _, results in self._left.values()]
        parts.sort(key=lambda results: results.metadata["start_time_ns"])
        self.results = merge_processes(parts) if parts else None
        if self._output is not None and self.results is not None:
            from .io import write_profile

            write_profile(self.results, self._output)
        return False

    def _take(self, event: Any) -> None:
        self._keep(event[1])

    def _keep(self, part: dict[str, Any]) -> None:
        process = part["host"], part["process"]
        if part["calls"] and part["calls"] >= self._left.get(process, (0, b""))[0]:
            self._left[process] = part["calls"], part["results"]


class _Recording(WorkerPlugin):
    """What is sent to each worker, and made anew there."""

    def __init__(self, name: str, interval: float, settings: dict[str, Any]) -> None:
        self.name = name
        self.interval = interval
        self.settings = settings

    def setup(self, worker: Any) -> None:
        """Begin, in this process."""
        self._sending = asyncio.ensure_future(self._send_again(worker))
        with _lock:
            if self.name not in _here:
                _here[self.name] = _Here(self.settings, worker)
            _here[self.name].workers += 1

    async def _send_again(self, worker: Any) -> None:
        sent, pause = 0, self.interval
        while True:
            await asyncio.sleep(pause)
            begun = perf_counter()
            part = _here[self.name].part(sent)
            if part is not None:
                sent = part["calls"]
                worker.log_event(self.name, part)
            pause = max(self.interval, _COST * (perf_counter() - begun))

    def teardown(self, worker: Any) -> None:
        """The worker is closed, or the session is over."""
        self._sending.cancel()
        with _lock:
            here = _here.get(self.name)
            if here is None:
                return
            part = here.part(0)
            here.workers -= 1
            if not here.workers:
                _here.pop(self.name).stop()
        if part is not None:
            worker.log_event(self.name, part)


# ---- In the processes of the cluster

_lock = Lock()
_here: dict[str, _Here] = {}  # name of a session: its recording in this process


class _Here:
    """The recording of a process, for all workers in it."""

    def __init__(self, settings: dict[str, Any], worker: Any) -> None:
        self.workers = 0
        self._manager: Any = ProfileManager._default
        self._name = str(worker.name)
        self._patches = Patches()
        self._is_own = not self._manager.is_active()
        if self._is_own:
            self._manager.setup(output=None, verbose=False, **settings)
        self._patches.put(_worker, "_run_task_simple", self._run)
        self._patches.put(_worker, "_run_task_async", self._run_async)

    def _region(self, task: Any) -> Any:
        return self._manager.profile_region(str(key_split(task.key)))

    def _run(self, before: Any) -> Any:
        def run(task: Any, *args: Any) -> Any:
            root = _Root(self._region(task))
            failed: tuple[Any, Any, Any] = None, None, None
            try:
                message = before(task, *args)
                error = message.get("actual_exception")
                if error is not None:
                    failed = type(error), error, None
                return message
            finally:
                root.close(failed)

        return run

    def _run_async(self, before: Any) -> Any:
        async def run(task: Any, *args: Any) -> Any:
            with self._region(task):
                return await before(task, *args)

        return run

    def part(self, sent: int) -> dict[str, Any] | None:
        """What was recorded until now, where that is more than so many calls."""
        calls = self._manager._counters()["calls"]
        if calls <= sent:
            return None
        results = self._manager.snapshot()
        results._metadata["process_name"] = self._name
        return {"host": socket.gethostname(), "process": os.getpid(), "calls": calls,
                "results": pickle.dumps(results)}

    def stop(self) -> None:
        """Leave Dask as it was."""
        self._patches.undo()
        if self._is_own and self._manager.is_active():
            self._manager._stop()


def _part_of(name: str) -> dict[str, Any] | None:
    here = _here.get(name)
    return None if here is None else here.part(0)
