"""src/base/callout.c and unrecorded.py: what the package itself calls in the middle of the program is neither
recorded nor prepared for it, whatever the user has instrumented."""

import json
import subprocess
import sys

import pytest

from conftest import calls_of
from scope_profiler import ProfileManager
from scope_profiler._base.unrecorded import here, unrecorded

# Modules that this package uses, while it records or reports, or whatever it imports then.
INSTRUMENTED = """
import asyncio, collections, contextlib, dis, enum, functools, importlib, inspect, json, linecache
import opcode, os, re, threading, tokenize, types, typing, weakref
import json.decoder, json.encoder, numpy
from scope_profiler import ProfileManager, calls, instrument

for module in (asyncio, asyncio.tasks, asyncio.events, asyncio.coroutines, collections, contextlib, dis,
               enum, functools, importlib, inspect, json, json.decoder, json.encoder, linecache,
               numpy, opcode, os, os.path, re, threading, tokenize, types, typing, weakref):
    instrument(module, include=["*", "__*"])
for of in (weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet, threading.Thread,
           collections.OrderedDict, contextlib.ExitStack, enum.EnumType, json.JSONEncoder):
    instrument(of)
"""
PROGRAM = """
@ProfileManager.profile("described", metadata=lambda: json.loads(json.dumps({"n": 1})))
def described():
    return re.sub("a+", "b", "caat")

@ProfileManager.profile("task")
async def task():
    await asyncio.sleep(0)

@ProfileManager.profile("asynchronous")
async def asynchronous():
    await asyncio.gather(task(), task())

@contextlib.contextmanager
def managed():
    with ProfileManager.region("managed"):
        yield

def program():
    for _ in range(2):
        json.loads(json.dumps({"a": [1, 2, {"b": 3}]}))
        re.compile("a+b").match("aab")
        collections.namedtuple("Pair", "a b")
        os.path.join("a", "b")
        numpy.mean(numpy.arange(10))
        list(dis.get_instructions(program))
        linecache.getline(__file__, 3)
        typing.get_type_hints(program)
        asyncio.run(asynchronous())
        described()
        with managed(), ProfileManager.region("new", tags=("a",), functions=(os.path.join,)):
            os.path.join("a", "b")
    thread = threading.Thread(target=described)
    thread.start()
    thread.join()

def counts():
    regions = ProfileManager.get_all_regions().values()
    found = {region.name: region.num_calls for region in regions if region.num_calls}
    found.pop("__main__.counts", None)
    return found
"""
RUN = """
ProfileManager.setup(file_path="run.h5", **SETTINGS)
if EVERYTHING:
    calls.start(ProfileManager, only_user_code=False)
with ProfileManager.region("program"):
    program()
before = counts()
ProfileManager.finalize()
ProfileManager.finalize(return_results=True)
for region in ProfileManager.get_all_regions().values():
    region.get_stats()
print(COUNTS)
print(json.dumps([before, counts(), ProfileManager._default._counters()["unmatched"]]))
"""


def counted(tmp_path, everything=False, **settings):
    """How often each region was called, in a process of its own: (before finalize(), after it)."""
    script = tmp_path / "script.py"
    run = RUN.replace("SETTINGS", repr(settings)).replace("EVERYTHING", repr(everything))
    script.write_text(INSTRUMENTED + PROGRAM + run.replace("COUNTS", repr("counts:")))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True,
                          cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    assert "could not be recorded" not in done.stdout
    before, after, unmatched = json.loads(done.stdout.rpartition("counts:\n")[2])
    assert unmatched == 0
    return before, after


def differences(before, after):
    return {name: (before.get(name), n) for name, n in after.items() if before.get(name) != n}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """How often the program calls what is instrumented, by the default mode."""
    before, after = counted(tmp_path_factory.mktemp("default"))
    assert differences(before, after) == {}
    assert before["json.dumps"] == 2  # not those of metadata
    assert before["described"] == 3 and before["re.sub"] == 3
    assert before["collections.namedtuple"] == 2
    return before


@pytest.mark.parametrize("settings", [
    {"use_line_profiler": True},
    {"track_threads": True, "track_async": True},
    {"aggregation_mode": True},
], ids=lambda settings: next(iter(settings)))
def test_a_program_whose_libraries_are_instrumented(tmp_path, expected, settings):
    before, after = counted(tmp_path, **settings)
    assert before == expected
    assert differences(before, after) == {}


@pytest.mark.parametrize("everything", [True, False])
def test_every_function_of_a_program_whose_libraries_are_instrumented(
    tmp_path, expected, everything
):
    before, after = counted(tmp_path, everything, recursive_profile=not everything,
                            use_line_profiler=True)
    assert differences(before, after) == {}
    assert {name: before.get(name) for name in expected} == expected
    assert len(before) > len(expected)


# ---- Each way by itself


def test_what_begins_is_passed_over_and_what_is_open_ends(manager):
    with manager.region("r"):
        generator = blocks(manager)
        next(generator)
        ours(manager, generator)
        with manager.region("after"):
            pass
    assert {name: calls for name, (calls, _, _) in calls_of(manager).items() if calls} == {
        "r": 1, "r>in a generator": 1, "r>after": 1,
    }
    assert manager._counters()["unmatched"] == 0


@unrecorded
def ours(manager, generator):
    with manager.region("r"), manager.region("other"):
        pass
    manager.profile("f")(lambda: None)()
    generator.close()


def blocks(manager):
    with manager.region("in a generator"):
        yield


@pytest.mark.parametrize("lines", [False, True])
def test_a_decorated_generator_that_ends_there_is_a_call(lines):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, use_line_profiler=lines)

    @manager.profile("g")
    def generator():
        yield 1

    kinds = generator(), generator()
    for each in kinds:
        next(each)
    with here:
        kinds[0].close()
        assert list(kinds[1]) == []
        assert list(generator()) == [1]
    assert manager.get_region("g").num_calls == 2
    assert manager.get_region("g").get_stats().open_calls == 0
    manager.reset()


def test_metadata_that_calls_what_it_is_metadata_of(manager):
    def describe(n):
        return {"double": double(n)}

    double = manager.profile("double", metadata=describe)(lambda n: 2 * n)
    assert double(3) == 6
    results = manager.finalize(verbose=False, return_results=True)
    assert results["double"].num_calls == 1
    assert results["double"][0].event_metadata == [{"double": 6}]


def test_an_exception_ends_it(manager):
    with pytest.raises(ZeroDivisionError), here:
        1 / 0
    with pytest.raises(TypeError):
        manager.setup(replace=1.5)
    with manager.region("r"):
        pass
    assert manager.get_region("r").num_calls == 1
