"""dask.py: the tasks of a real cluster on this machine."""

import os
import signal
import time

import pytest

pytest.importorskip("distributed", reason="distributed is not installed")

from distributed import Client, LocalCluster

import scope_profiler as sp
from scope_profiler import dask as profiled


def square(number):
    with sp.region("inside"):
        return number * number


def fail(number):
    raise KeyError(number)


def process(number):
    with sp.region("inside"):
        return os.getpid()


def cluster(**settings):
    where = {"host": "127.0.0.1"} if settings.get("processes", True) else {}
    return LocalCluster(dashboard_address=":0", **where, **settings)


@pytest.mark.parametrize("processes", [True, False], ids=["processes", "threads"])
def test_every_task_and_what_is_in_it(processes):
    with cluster(n_workers=2, threads_per_worker=2, processes=processes) as local, Client(local) as client:
        with profiled.session(client, output="run.json") as run:
            assert client.gather(client.map(square, range(50))) == [n * n for n in range(50)]
            failed = client.submit(fail, 1)
            assert isinstance(failed.exception(), KeyError)
        client.gather(client.map(square, range(100, 110)))  # after it
    results = run.results
    assert results["square"].num_calls == results["inside"].num_calls == 50
    [failure] = [results["fail"][rank] for rank in results["fail"].ranks]
    assert failure.num_calls == failure.errors == 1
    assert results.num_ranks == (2 if processes else 1)
    for rank in results["square"].ranks:
        nodes = results.recorded[rank].nodes
        [inside] = [node for node in nodes if node.name == "inside"]
        assert nodes[inside.parent].name == "square"
        used = {*results["square"][rank].thread_ids}
        assert used <= {thread.index for thread in results.threads[rank]} and len(used) <= 4
    assert sp.load("run.json")["square"].num_calls == 50
    assert not sp.is_active()


def test_a_worker_that_is_killed_and_workers_that_are_restarted():
    with cluster(n_workers=2, threads_per_worker=1) as local, Client(local) as client:
        with profiled.session(client, interval=0.05) as run:
            numbers = client.gather(client.map(process, range(20)))
            killed = numbers[0]
            end = time.monotonic() + 60
            while not any(number == killed and calls >= 2 * numbers.count(killed)
                          for (_, number), (calls, _) in [*run._left.items()]):
                assert time.monotonic() < end
                time.sleep(0.02)
            os.kill(killed, signal.SIGKILL)
            while killed in client.run(os.getpid, on_error="ignore").values() or len(
                    client.scheduler_info()["workers"]) < 2:
                assert time.monotonic() < end
                time.sleep(0.05)
            client.gather(client.map(process, range(20, 30)))
            client.restart()
            client.gather(client.map(process, range(30, 40)))
    # A task whose result was with the worker that was killed may have run once more.
    assert 40 <= run.results["process"].num_calls == run.results["inside"].num_calls < 60
    assert str(killed) in run.results.metadata["process_ids"]


def test_bad_arguments():
    with pytest.raises(TypeError, match="client takes a distributed.Client that is not asynchronous, got 3"):
        profiled.session(3)
    with cluster(n_workers=1, processes=False) as local, Client(local) as client:
        with pytest.raises(TypeError, match="unknown"):
            profiled.session(client, nothing=1)
        with pytest.raises((TypeError, ValueError), match="interval"):
            profiled.session(client, interval=-1)
