"""src/base/local.c: what is a thread's own, behind one thread-local pointer."""

import re
import shutil
import subprocess
import sys
import threading

import pytest

from scope_profiler import ProfileManager, _core

ELF = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of the loader of ELF files")


def run(program, *arguments):
    return subprocess.run([sys.executable, "-c", program, *map(str, arguments)],
                          capture_output=True, text=True, timeout=60)


@ELF
def test_the_module_has_one_thread_local_pointer():
    if shutil.which("readelf") is None:
        pytest.skip("there is no readelf")
    headers = subprocess.run(["readelf", "-lW", _core.__file__], capture_output=True, text=True,
                             check=True).stdout
    if "asan" in subprocess.run(["ldd", _core.__file__], capture_output=True, text=True).stdout:
        pytest.skip("the sanitizer adds its own")
    size = re.search(r"^ *TLS +0x\w+ +0x\w+ +0x\w+ +0x\w+ +0x(\w+)", headers, re.MULTILINE)[1]
    assert int(size, 16) <= 8


@ELF
def test_it_can_be_imported_after_a_library_with_much_static_thread_local_memory(tmp_path):
    if shutil.which("gcc") is None:
        pytest.skip("there is no gcc")

    def library(size):
        source, made = tmp_path / f"{size}.c", tmp_path / f"{size}.so"
        source.write_text(
            f"static _Thread_local char used[{size}];\nchar *get(void) {{ return used; }}\n")
        subprocess.run(["gcc", "-shared", "-fPIC", "-ftls-model=initial-exec", source, "-o", made],
                       check=True)
        return made

    load = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).get(); "
    fits = [made for size in range(600, 4001, 200)
            if run(load, made := library(size)).returncode == 0]
    assert fits
    for made in (fits[0], fits[-1]):
        done = run(load + "import scope_profiler as sp; sp.setup(output=None)\n"
                   "with sp.region('x'): pass\n"
                   "assert sp.finalize(False, True)['x'].num_calls == 1", made)
        assert done.returncode == 0 or made != fits[0] and "static TLS" in done.stderr, done.stderr


def test_threads_that_come_and_go_leave_nothing():
    """Each has its own, and none is left with that of another."""
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    function = manager.profile("f")(lambda: None)

    def work():
        for _ in range(10):
            function()
            with manager.region("r"), manager.metadata(a=1):
                pass

    for _ in range(50):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    results = manager.finalize(verbose=False, return_results=True)
    assert results["f"].num_calls == results["r"].num_calls == 2000
    assert manager._counters()["open"] == 0
    manager.reset()
