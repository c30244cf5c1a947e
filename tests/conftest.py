"""What tests share: a clock that only moves when told, and managers that leave nothing behind."""

import os

# Before numpy is loaded, here and in children: its threads take a third of the time that loading it takes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Else each child compiles whatever it imports that pip did not, which takes longer than the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import gc
from importlib.util import find_spec
import mmap
from pathlib import Path
import signal
import sysconfig

from hypothesis import HealthCheck, settings
import pytest

from scope_profiler import ProfileManager, _core
from scope_profiler._instrument import lines
from scope_profiler._run import managers

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)

# However slow the machine is at the moment, or a build with sanitizers.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

#: How many times as many random programs, and rounds of threads, tests run as they do by themselves.
EXAMPLES = float(os.environ.get("SCOPE_PROFILER_EXAMPLES") or 1)


def examples(count):
    """How many a test runs that runs so many by itself."""
    return max(1, round(count * EXAMPLES))


ROOT = Path(__file__).resolve().parents[1]
NO_GIL = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

NEEDS_H5PY = pytest.mark.skipif(find_spec("h5py") is None, reason="there is no h5py here")

CODE_DIES = pytest.mark.skipif(
    NO_GIL,
    reason="a free-threaded Python keeps functions and code once there has been a second thread",
)


def pytest_collection_modifyitems(items):
    """The folders with the longest tests come first, so that the last processes end together."""
    items.sort(key=lambda item: item.path.parent.name not in ("whole", "servers", "mpi", "html"))


class Clock:
    """The fake clock: real time is off until the test ends."""

    def __init__(self, now=1_000):
        self.now = now
        _core._fake_clock(now)

    def tick(self, ns):
        self.now += ns
        _core._fake_clock(self.now)


@pytest.fixture
def clock():
    yield Clock()
    _core._fake_clock(None)


@pytest.fixture
def manager(clock):
    """A manager of its own, recording, under the fake clock."""
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    yield manager
    manager.reset()


@pytest.fixture
def few_paths():
    """How many paths a tree tells apart meanwhile."""
    before = _core._tree_bound(1 << 10)
    yield 1 << 10
    _core._tree_bound(before)


@pytest.fixture
def core():
    """The bare core: a manager without the Python face, recording."""
    manager = _core.Manager()
    manager._begin(True, False)
    yield manager
    manager._record(False)


@pytest.fixture(autouse=True)
def clean_default(tmp_path, monkeypatch):
    """Tests run in an empty folder, the process-wide manager is as new for each, and there is no
    garbage of others. What is alive between two tests stays, so collections pass it over from there
    on: they were a third of the time that the suite takes."""
    gc.collect()
    if lines._users:  # finalizers of modules have only now let go of a LineProfiler
        gc.collect()
    gc.freeze()
    monkeypatch.chdir(tmp_path)
    yield
    for manager in managers.every():  # that of the process among them
        manager.reset()


def mapped(size):
    """Memory by which the process grows: allocators may have as much that nobody uses."""
    memory = mmap.mmap(-1, size)
    for page in range(0, size, mmap.PAGESIZE):
        memory[page] = 1
    return memory


def calls_of(manager):
    """{name: (calls, total, exclusive)} of the merged tree, names along the path joined by >."""
    rows = manager._collect(None)
    paths = []
    found = {}
    for parent, region, calls, _, _, total, _, exclusive, *_ in rows:
        paths.append((paths[parent] + ">" if parent >= 0 else "") + region.name)
        found[paths[-1]] = (calls, total, exclusive)
    return found


def events_of(manager, name):
    """[(start, duration), ...] of a region, as recorded."""
    _, starts, durations, *_ = manager._events(manager._find(name))
    return list(zip(memoryview(starts).cast("q"), memoryview(durations).cast("q")))


@pytest.fixture
def line_mode_is_over():
    """Nobody counts lines that earlier tests have made."""
    if NO_GIL and lines._users:
        pytest.skip("line mode stays on: without the GIL what earlier tests have made may live on")


def hdf5_ends_at_damage():
    """Whether HDF5 is old, or built with assertions: these end the process where a file is damaged."""
    import h5py

    if h5py.version.hdf5_version_tuple < (1, 12):
        return True
    try:
        maps = Path("/proc/self/maps").read_text()
    except OSError:
        return False
    libraries = {line.split()[-1] for line in maps.splitlines() if "/libhdf5" in line}
    return any(b"__assert_fail" in Path(library).read_bytes() for library in libraries)


@pytest.fixture
def hdf5_for_damaged_files():
    if hdf5_ends_at_damage():
        pytest.skip("HDF5 is of before 1.12, or built with assertions: a damaged file ends the process")
