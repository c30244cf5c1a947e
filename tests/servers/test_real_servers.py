"""The recipes of docs/servers.md: real servers under load. Every request is in the one result."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
import os
from pathlib import Path
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from conftest import NEEDS_H5PY, ROOT
import scope_profiler as sp

pytestmark = [NEEDS_H5PY, pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")]

PAGE = (ROOT / "docs" / "servers.md").read_text()
EVERY = re.findall(r"^\$ scope-profiler (run .*)$", PAGE, re.M)
RECIPES = [recipe for recipe in EVERY if "celery" not in recipe]
REQUESTS = 90
PATIENCE = 100


@pytest.fixture(autouse=True)
def programs(tmp_path):
    for name, text in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.S):
        (tmp_path / name).write_text(text)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """A recipe that runs."""

    def __init__(self, recipe):
        words = recipe.split()
        module = words[words.index("-m") + 1]
        pytest.importorskip(module, reason=f"{module} is not installed")
        if "gevent" in words:
            pytest.importorskip("gevent", reason="gevent is not installed")
        pytest.importorskip("flask" if "shop:app" in words else "starlette",
                            reason="the framework of the recipe is not installed")
        self.port = free_port()
        where = ["-b", f"127.0.0.1:{self.port}"] if module == "gunicorn" else ["--port", str(self.port)]
        self.log = open("server.log", "w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "scope_profiler", *words[:-1], *where, words[-1]],
            stdout=self.log, stderr=subprocess.STDOUT)
        self.sent = 0

    def get(self, number):
        """One request, that the server has answered."""
        assert self.text_of(f"/items/{number}") == str(number)

    def text_of(self, path):
        """What it answers."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
                connection.request("GET", path, headers={"Connection": "close"})
                answer = connection.getresponse()
                assert answer.status == 200
                return answer.read().decode()
            except ConnectionError:  # it has not begun
                assert self.process.poll() is None and time.monotonic() < end, self.text()
                time.sleep(0.05)
            finally:
                connection.close()

    def load(self, count):
        self.get(0)
        with ThreadPoolExecutor(4) as pool:
            assert len([*pool.map(self.get, range(1, count))]) == count - 1
        self.sent += count

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        self.log.close()
        return sp.load("run.h5")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)
        self.log.close()


def check(results, sent):
    [name] = [name for name in results.region_names if name.startswith("GET /items/")]
    assert results[name].num_calls == results["look up"].num_calls == sent == REQUESTS
    assert not os.path.exists("run.h5.children")
    return len(results[name].ranks)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_request_is_in_the_one_result(recipe):
    with Server(recipe) as server:
        server.load(REQUESTS)
        workers = check(server.end(), server.sent)
    assert workers >= 4 if "--max-requests" in recipe else workers <= 2


@pytest.mark.parametrize("recipe", [RECIPES[0], RECIPES[-1]])
def test_workers_that_are_replaced_by_sighup(recipe):
    with Server(recipe) as server:
        for part in range(3):
            if part:
                server.process.send_signal(signal.SIGHUP)
            server.load(REQUESTS // 3)
        check(server.end(), server.sent)


STATE = """
import os
@app.get("/state")
def state():
    return f"{os.getpid()} {sp.get_config().paused}"
"""


def test_a_file_switches_all_workers():
    with open("shop.py", "a") as file:
        file.write(STATE)
    recipe = RECIPES[0].replace("run ", "run --record-while switch ", 1)
    with Server(recipe) as server:
        for are_off in (True, False, True):
            server.load(10)
            found = {}
            while [*found.values()] != [are_off] * 2:
                process, paused = server.text_of("/state").split()
                found[process] = paused == "True"
            if are_off:
                open("switch", "w").close()
            else:
                server.load(30)
                os.unlink("switch")
        words = "top", "run.h5", "--once", "--last", "60"
        top = subprocess.run([sys.executable, "-m", "scope_profiler", *words], capture_output=True, text=True)
        assert "2 of 2 processes are running" in top.stdout, top
        results = server.end()
        calls = results["GET /items/<int:number>"].num_calls
        assert re.search(rf"^GET /items/<int:number> +{calls} ", top.stdout, re.M), top
    # While the file came and went, not every worker had seen it.
    assert 30 <= calls <= 30 + 10 + 10


def test_every_task_of_celery_is_in_the_one_result():
    celery = pytest.importorskip("celery", reason="celery is not installed")
    [recipe] = {*EVERY} - {*RECIPES}
    os.mkdir("queue")
    sys.path.insert(0, os.getcwd())
    try:
        import tasks
    finally:
        sys.path.pop(0)
        del sys.modules["tasks"]
    assert celery and tasks.app
    for number in range(REQUESTS):
        tasks.add.delay(number, number)
    with open("worker.log", "w") as log, subprocess.Popen(
            [sys.executable, "-m", "scope_profiler", *recipe.split()], stdout=log, stderr=log) as worker:
        end = time.monotonic() + PATIENCE
        while [*Path("queue").glob("*.msg")] and worker.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        worker.terminate()  # what it has not begun goes back into the queue
        worker.wait(PATIENCE)
    done = REQUESTS - len([*Path("queue").glob("*.msg")])
    results = sp.load("run.h5")
    assert results["add"].num_calls == results["look up"].num_calls == done > REQUESTS / 2
    assert len(results["add"].ranks) >= done // 15
