"""The API and the command of memory_profiler."""

import asyncio
import io
import os
import re
import subprocess
import sys
from textwrap import dedent
from time import sleep
import warnings

import pytest

from conftest import ROOT, mapped
from scope_profiler import memory
from scope_profiler.memory import memory_usage, profile, usage
from scope_profiler.memory.memory_samples import MemorySamples, check_path

MIB = 1 << 20
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it needs psutil elsewhere")
pytestmark = LINUX


def make(size=20):
    kept = bytearray(b"x") * (size * MIB)
    return len(kept)


def rows_of(text):
    """{line of code: (usage, increment, occurrences)} of a table."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"\s*(\d+) +([\d.]+) MiB +(-?[\d.]+) MiB +(\d+)   (.*)", line)
        if match:
            _, used, increment, times, source = match.groups()
            found[source.strip()] = float(used), float(increment), int(times)
    return found


# ---- memory_usage


def test_of_this_process():
    [used] = memory_usage()
    assert used > 1 and used == pytest.approx(memory_usage(os.getpid())[0], rel=0.2)
    assert memory_usage(max_usage=True) == pytest.approx(used, rel=0.2)


@pytest.mark.parametrize("backend", ["psutil", "posix", "psutil_pss", "psutil_uss"])
def test_each_backend_reads_the_process(backend):
    [used] = memory_usage(backend=backend)
    [resident] = memory_usage()
    assert 0 < used < 1.5 * resident


def test_tracemalloc_is_a_backend():
    import tracemalloc

    tracemalloc.start()
    kept = bytearray(3 * MIB)
    [used] = memory_usage(backend="tracemalloc")
    tracemalloc.stop()
    assert 3 <= used < 20
    del kept


def test_of_a_function_its_peak_and_value():
    before = memory_usage()[0]
    highest, value = memory_usage((holds, (50,), {"seconds": 0.2}), interval=0.01, max_usage=True,
                                  retval=True)
    assert value == 50 * MIB and highest - before > 40
    readings = memory_usage((holds, (1,)), interval=0.01, timestamps=True)
    assert len(readings) >= 2 and all(used > 1 and at > 1e9 for used, at in readings)
    assert isinstance(memory_usage(holds), list)


def holds(size=1, seconds=0.05):
    kept = mapped(size * MIB)
    sleep(seconds)
    return len(kept)


def test_what_a_function_raises_passes():
    with pytest.raises(KeyError):
        memory_usage((lambda: {}["x"],))


def child(text):
    return subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)


def test_of_another_process_and_its_children():
    with child("kept = b'x' * (60 << 20)\nprint('ready', flush=True)\ninput()") as process:
        process.stdout.readline()
        [used] = memory_usage(process.pid)
        assert used > 60
        [own] = memory_usage()
        [together] = memory_usage(include_children=True)
        assert together - own > 50
        [[first, *others]] = memory_usage(multiprocess=True)
        assert first == pytest.approx(own, rel=0.2) and max(others) > 50
        process.stdin.write("\n")


def test_of_a_popen_until_it_ends():
    with child("import time\nkept = b'x' * (40 << 20)\ntime.sleep(0.3)") as process:
        highest = memory_usage(process, interval=0.02, max_usage=True)
    assert highest > 30


def test_a_process_that_is_not_there():
    with child("") as process:
        process.wait()
    with pytest.raises(ProcessLookupError, match="there is no process"):
        memory_usage(process.pid)


def test_a_number_of_readings():
    assert len(memory_usage(-1, interval=0.01, timeout=0.05)) == 5


def test_into_a_stream():
    stream = io.StringIO()
    assert memory_usage((holds, (1,)), interval=0.01, stream=stream) is None
    assert re.fullmatch(r"(MEM \d+\.\d{6} \d+\.\d{4}\n)+", stream.getvalue())


@pytest.mark.parametrize("wrong, message", [
    ({"proc": "x"}, "proc takes"), ({"proc": ()}, "proc takes"), ({"proc": (1,)}, "proc takes"),
    ({"backend": "x"}, "backend is one of"), ({"interval": 0}, "interval takes"),
])
def test_bad_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        memory_usage(**{"proc": holds, **wrong})


def test_choose_backend():
    assert memory.choose_backend() == "psutil" and memory.choose_backend("posix") == "posix"


# ---- Lines


def test_the_table_of_a_call(capsys):
    @profile
    def work():
        first = mapped(40 << 20)
        del first
        for _ in range(3):
            pass
        return 5

    assert work() == 5
    text = capsys.readouterr().out
    head = text.splitlines()
    assert head[0] == f"Filename: {__file__}" and head[1] == ""
    assert head[2] == ("Line #    Mem usage    Increment  Occurrences   Line Contents")
    assert head[3] == "=" * len(head[2]) and text.endswith("\n\n\n")
    rows = rows_of(text)
    assert rows["first = mapped(40 << 20)"][1] == pytest.approx(40, abs=3)
    assert rows["del first"][1] == pytest.approx(-40, abs=3)
    assert rows["for _ in range(3):"][2] == 4 and rows["@profile"][2] == 1
    used, increment, _ = rows["@profile"]
    assert used == increment > 1
    assert "def work():" in text


def test_a_stream_and_a_precision():
    stream = io.StringIO()

    @profile(stream=stream, precision=4)
    def work():
        return 1

    work()
    work()
    assert stream.getvalue().count("Filename:") == 2
    assert re.search(r"\d\.\d{4} MiB", stream.getvalue())


def test_functions_inside_count_in_the_table_of_the_outer():
    stream = io.StringIO()

    @profile(stream=stream)
    def work():
        def inner():
            return mapped(40 << 20)

        return len(inner())

    work()
    assert rows_of(stream.getvalue())["return mapped(40 << 20)"][1] == pytest.approx(40, abs=3)


def test_a_comprehension_grows_by_what_it_takes_once():
    stream = io.StringIO()

    @profile(stream=stream)
    def work():
        return [mapped(20 << 20) for _ in range(2)]

    work()
    table = rows_of(stream.getvalue())
    assert table["return [mapped(20 << 20) for _ in range(2)]"][1] == pytest.approx(40, abs=3)


def test_coroutines_and_generators():
    stream = io.StringIO()

    @profile(stream=stream)
    async def coroutine():
        await asyncio.sleep(0)
        return 1

    @profile(stream=stream)
    def generator():
        got = yield 1
        return got

    @profile(stream=stream)
    async def both():
        yield 2

    async def main():
        return [await coroutine()] + [value async for value in both()]

    assert asyncio.run(main()) == [1, 2]
    assert list(generator()) == [1]
    text = stream.getvalue()
    assert text.count("Filename:") == 3
    for line in ("await asyncio.sleep(0)", "yield 2", "got = yield 1"):
        assert line in rows_of(text)


def test_an_exception_passes_and_the_table_comes():
    stream = io.StringIO()

    @profile(stream=stream)
    def fails():
        raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert "raise KeyError" in rows_of(stream.getvalue())


def test_a_profiler_of_several_functions():
    profiler = memory.LineProfiler()

    @profiler
    def one():
        return make(12)

    def two():
        return make(14)

    profiler.add_function(two)
    profiler.runctx("one(); two()", {"one": one, "two": two}, {})
    with profiler:
        two()
    two()  # it is off
    stream = io.StringIO()
    memory.show_results(profiler, stream, 2)
    rows = rows_of(stream.getvalue())
    assert rows["return make(12)"][2] == 1 and rows["return make(14)"][2] == 2
    [lines] = profiler.code_map.values()
    assert all(row.usage > 1 for row in lines.values())
    profiler.reset_stats()
    assert profiler.code_map == {}


def test_more_than_memory_profiler_shows():
    profiler = memory.MemoryProfiler()

    @profiler
    def work():
        return bytes(100_000)

    work()
    [[row]] = profiler.lines().values()
    assert row.allocated_bytes >= 100_000 and row.peak_bytes >= 100_000


def test_what_cannot_be_had():
    with pytest.raises(ValueError, match="max_mem cannot be had"):
        memory.LineProfiler(max_mem=100)
    with pytest.warns(UserWarning, match="resident set of the process alone"):
        memory.LineProfiler(include_children=True)
    with pytest.raises(ValueError, match="backend is one of"):
        profile(backend="x")
    with pytest.raises(AttributeError, match="no attribute 'x'"):
        memory.x


def test_nothing_more_is_exported():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(hasattr(memory, name) for name in memory.__all__)
    assert set(memory.__all__) <= set(dir(memory))


def test_a_log(caplog):
    caplog.set_level("INFO")
    log = memory.LogFile("memory", reportIncrementFlag=True)
    for line in ("Filename: x\n", "     1   10.0 MiB   0.0 MiB   1   a",
                 "     2   10.0 MiB   2.0 MiB   1   b",
                 "    3    a line without numbers"):
        log.write(line)
    log.flush()
    assert [record.message.split()[0] for record in caplog.records] == ["Filename:", "2"]
    memory.LogFile("memory").write("anything")
    assert caplog.records[-1].message == "anything"


# ---- Time stamps


def test_when_functions_began_and_ended():
    stamper = memory.TimeStamper()

    @stamper
    def outer():
        with stamper.timestamp("block"):
            holds(1, 0.001)

    @stamper()
    def other():
        raise KeyError

    outer()
    with pytest.raises(KeyError):
        other()
    stream = io.StringIO()
    stamper.show_results(stream)
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert [(line[0], line[1].rpartition(".")[2], line[-1]) for line in lines] == [
        ("FUNC", "block", "2"), ("FUNC", "outer", "1"), ("FUNC", "other", "1")]
    assert all(float(line[3]) <= float(line[5]) for line in lines)


# ---- The command

SCRIPT = dedent("""
    import sys
    @profile
    def work(n):
        kept = bytearray(b"x") * (n << 20)
        return len(kept)
    print(work(int(sys.argv[1])))
    assert __name__ == "__main__"
""")


def command(*arguments):
    return subprocess.run([sys.executable, "-m", "scope_profiler.memory", *arguments],
                          capture_output=True, text=True, timeout=100,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})


@pytest.fixture
def script(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    return "script.py"


def test_a_script_with_profile_built_in(script):
    done = command("--precision", "2", script, "21")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{21 * MIB}\nFilename: ")
    assert rows_of(done.stdout)['kept = bytearray(b"x") * (n << 20)'][1] == pytest.approx(21, abs=2)


def test_a_module_and_a_file_of_results(script):
    done = command("-o", "results.txt", "script", "3")
    assert done.returncode == 0 and done.stdout == f"{3 * MIB}\n", done.stderr
    with open("results.txt") as file:
        assert "return len(kept)" in file.read()


def test_time_stamps_of_a_script(script):
    done = command("--timestamp", "--include-children", "--backend", "psutil_uss", script, "3")
    assert done.returncode == 0
    assert re.search(r"^FUNC __main__.work [\d.]+ [\d.]+ [\d.]+ [\d.]+ 1$", done.stdout, re.M)


@pytest.mark.parametrize("arguments, message", [
    ([], "a script or module to run is missing"),
    (["--pdb-mmem", "100", "script.py"], "--pdb-mmem cannot be had"),
    (["nowhere.py"], "can't run 'nowhere.py'"), (["no.where"], "can't run 'no.where'"),
    (["--backend", "x", "script.py"], "invalid choice"),
])
def test_what_cannot_be_is_said(script, arguments, message):
    done = command(*arguments)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


def test_the_table_comes_also_when_the_script_fails(tmp_path):
    (tmp_path / "fails.py").write_text(SCRIPT + "work(2)\n1 / 0\n")
    done = command("fails.py", "2")
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr
    assert rows_of(done.stdout)["return len(kept)"][2] == 2


# ---- Over time


def test_samples_as_a_table():
    samples = MemorySamples(0.01)
    samples.start()
    with child("kept = b'x' * (40 << 20)\nprint('ready', flush=True)\ninput()") as process:
        process.stdout.readline()
        holds(60, 0.1)
        process.stdin.write("\n")
    samples.stop()
    assert max(sample.children for sample in samples.samples) > 40 * MIB
    assert max(s.own for s in samples.samples) - samples.samples[0].own > 50 * MIB
    samples.write("memory.csv")
    with open("memory.csv") as file:
        head, first, *_ = file
    assert head == "seconds,process_mib,children_mib\n" and first.startswith("0.0000,")


def test_samples_as_a_picture():
    pytest.importorskip("matplotlib")
    from scope_profiler import ProfileManager

    ProfileManager.setup(deactivate_file_output=True)
    samples = MemorySamples(0.01)
    samples.start()
    for _ in range(3):
        with ProfileManager.region("holds"):
            holds(10, 0.02)
    samples.stop()
    results = ProfileManager.finalize(verbose=False, return_results=True)
    samples.write("memory.png", results)
    with open("memory.png", "rb") as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"


def test_a_name_of_no_kind():
    with pytest.raises(ValueError, match="no name for a table or picture"):
        check_path("memory.xyz")


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match="pip install matplotlib"):
        check_path("memory.png")


def test_elsewhere_psutil_is_needed(monkeypatch):
    monkeypatch.setattr(sys, "platform", "plan9")
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(ModuleNotFoundError, match="pip install psutil"):
        usage.bytes_of(os.getpid())


def test_the_command_samples(tmp_path):
    (tmp_path / "script.py").write_text(dedent("""
        import time, scope_profiler as sp
        with sp.region("holds"):
            kept = bytearray(b"x") * (60 << 20)
            time.sleep(0.3)
    """))
    done = subprocess.run([sys.executable, "-m", "scope_profiler", "run", "--no-output",
                           "--sample-memory", "memory.csv", "script.py"], capture_output=True,
                          text=True, timeout=100, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0 and "Memory over time: memory.csv" in done.stdout, done.stderr
    with open("memory.csv") as file:
        used = [float(line.split(",")[1]) for line in [*file][1:]]
    assert max(used) - used[0] > 50


def test_the_command_refuses_a_wrong_name(tmp_path):
    (tmp_path / "script.py").write_text("print('it ran')")
    done = subprocess.run([sys.executable, "-m", "scope_profiler", "run", "--sample-memory",
                           "memory.xyz", "script.py"], capture_output=True, text=True, timeout=100,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 2 and "no name for a table or picture" in " ".join(done.stderr.split())
    assert done.stdout == ""
