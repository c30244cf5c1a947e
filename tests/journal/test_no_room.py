"""Where a journal cannot be written, the run goes on in memory, and finalize() says why."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest

from scope_profiler import ProfileManager, load
from scope_profiler._run import journal
from scope_profiler.io.journal_reader import recover

CALLS = 200_000  # 3.2 MB


@pytest.fixture
def disk(tmp_path):
    """mount(options): a folder of a file system of its own, of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options):
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("nothing can be mounted here")
        return folder

    yield mount
    if os.path.ismount(folder):
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def begin():
    """begin(path): a manager that writes its results there."""
    managers = []

    def begin(path):
        manager = ProfileManager()
        managers.append(manager)
        manager.setup(output=path, journal=True)
        return manager

    yield begin
    for manager in managers:
        manager.reset()


def call(manager, times):
    function = manager.profile("r")(lambda: None)
    for _ in range(times):
        function()


def test_a_disk_that_is_full(disk, begin, capsys):
    folder = disk("size=2m")
    manager = begin(folder / "out.json")
    call(manager, CALLS)
    assert "No space left" in journal.error(manager)
    (path,) = folder.glob("*.journal")
    everything = manager.snapshot()["r"]
    assert everything.num_events == CALLS
    there, missing = recover(path)
    calls = there["r"][0].num_events
    assert 50_000 < calls < CALLS
    assert abs(there["r"][0].durations_ns - everything[0].durations_ns[:calls]).max() <= 1
    assert missing == []
    with pytest.raises(OSError, match="space"):  # as there is none for the results
        manager.finalize(verbose=False)
    subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
    manager.finalize()
    assert load(folder / "out.json")["r"].num_calls == CALLS
    assert not [*folder.glob("*.journal")]
    call(manager, 1)  # which begins another journal
    assert len([*folder.glob("*.journal")]) == 1


def test_it_was_full_and_finalize_says_so(disk, begin, capsys):
    folder = disk("size=2m")
    (folder / "other").write_bytes(bytes(2 << 20))
    manager = begin(folder / "out.json")
    call(manager, 1000)
    (folder / "other").unlink()
    manager.finalize()
    assert "No space left on device" in " ".join(capsys.readouterr().out.split())
    assert load(folder / "out.json")["r"].num_calls == 1000
    assert [path.name for path in folder.iterdir()] == ["out.json"]


def test_a_folder_that_is_read_only(disk, begin, capsys):
    folder = disk("size=2m,ro")
    manager = begin(folder / "out.json")
    call(manager, 1000)
    assert "Read-only" in journal.error(manager)
    subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    manager.finalize()
    assert "Read-only file system" in " ".join(capsys.readouterr().out.split())
    assert load(folder / "out.json")["r"].num_calls == 1000


def test_a_folder_that_is_missing(tmp_path, begin):
    manager = begin(tmp_path / "missing" / "out.json")
    call(manager, 1000)
    assert "No such file" in journal.error(manager)
    assert manager.snapshot()["r"].num_events == 1000


def run(text, *arguments):
    return subprocess.run([sys.executable, "-c", textwrap.dedent(text), *map(str, arguments)],
                          capture_output=True, text=True, timeout=300)


def test_a_limit_of_the_size_of_files(tmp_path):
    """Python ignores SIGXFSZ; a program that wants it gets none of ours."""
    done = run("""
        import resource, signal, sys
        import scope_profiler as sp
        from scope_profiler._run import journal

        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
        sp.setup(output=sys.argv[1], journal=True)
        function = sp.profile("r")(lambda: None)
        for _ in range(200_000):
            function()
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        sp.finalize()
    """, tmp_path / "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "File too large" in " ".join(done.stdout.split())
    assert load(tmp_path / "out.json")["r"].num_calls == CALLS
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_parent_and_child_have_each_its_own(tmp_path):
    done = run("""
        import os, signal, sys
        import scope_profiler as sp

        sp.setup(output=sys.argv[1], journal=True, verbose=False)
        before, after = sp.profile("before")(lambda: None), sp.profile("after")(lambda: None)
        for _ in range(1000):
            before()
        child = os.fork()
        for _ in range(2000 if child else 3000):
            after()
        if child:
            os.waitpid(child, 0)
        os.kill(os.getpid(), signal.SIGKILL)
    """, tmp_path / "out.json")
    assert done.returncode == -signal.SIGKILL
    found = []
    for path in tmp_path.glob("*.journal"):
        results, missing = recover(path)
        assert missing == []
        found.append(sorted((region.name, region.num_calls) for region in results))
    assert sorted(found) == [[("after", 2000), ("before", 1000)], [("after", 3000)]]
