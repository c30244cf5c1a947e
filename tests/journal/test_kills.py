"""Programs that are killed: what their journals have is the begin of what each thread did. The long run of
the same is `make kill-tests`."""

import shutil
import sysconfig

import pytest

from journal_checks import FaultLibrary, Killed, check, finalize_killed, random_kill
from scope_profiler import ProfilingResults, load, write_profile
from scope_profiler.io import journal_format as form

pytestmark = pytest.mark.skipif(shutil.which("true") is None, reason="there are no processes here")


@pytest.mark.parametrize("end", ["kill", "exit", "segfault"])
@pytest.mark.parametrize("threads, at", [(1, 0), (1, 1234), (3, 400)])
def test_what_was_over_is_recovered(tmp_path, end, threads, at):
    killed = Killed(tmp_path, threads, end=end, at=at)
    assert killed.status != 0
    calls, missing = check(killed)
    assert calls >= at + 1
    assert missing == []


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random(tmp_path, seed):
    random_kill(tmp_path, seed)


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    if shutil.which("cc") is None or sysconfig.get_platform() != "linux-x86_64":
        pytest.skip("there is no compiler here")
    return FaultLibrary(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize("at", [1, 2, 3, 9])
def test_killed_at_a_write_to_the_file(tmp_path, faults, at):
    killed = Killed(tmp_path, 1, 60_000, environment=faults.killing(at))
    if killed.status == 0:
        assert sum(region.num_calls for region in load(killed.journals[0])) == 60_000
        return
    if killed.journals and killed.journals[0].read_bytes().startswith(form.MAGIC):
        check(killed)
    else:
        assert killed.done == (0,)  # the file begins with the first call


@pytest.mark.parametrize("at, error", [(1, "ENOSPC"), (2, "EDQUOT"), (3, "ENODEV"), (4, "EIO")])
def test_a_write_that_fails_ends_the_journal_alone(tmp_path, faults, at, error):
    killed = Killed(tmp_path, 1, 20_000, "finalize", environment=faults.failing(at, error))
    assert killed.status == 0
    assert killed.journals == []
    results = load(killed.output)
    assert sum(region.num_calls for region in results) == 20_000


@pytest.mark.parametrize("name", ["out.h5", "out.json"])
def test_finalize_killed_at_a_write_leaves_old_file_or_new_file_and_journal(tmp_path, faults, name):
    """tools/kill_tests.py does so at every write."""
    old = write_profile(ProfilingResults({}), tmp_path / name).read_bytes()
    at = 0
    while True:
        at += 1 + at // 2
        folder = tmp_path / f"killed_run{at}"
        folder.mkdir()
        if not finalize_killed(folder, faults, at, name, None if at % 2 else old):
            break
    assert at > 5
