"""The recipes of docs/servers.md: real servers under load. Every request is in the one result."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
import os
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
RECIPES = re.findall(r"^\$ scope-profiler (run .*)$", PAGE, re.M)
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
        end = time.monotonic() + PATIENCE
        while True:
            try:
                connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
                connection.request("GET", f"/items/{number}", headers={"Connection": "close"})
                answer = connection.getresponse()
                assert (answer.status, answer.read()) == (200, str(number).encode())
                return
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
