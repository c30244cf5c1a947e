"""Programs as users of scope-profiler 0.7.5 write them: they run here, unchanged."""

import asyncio
import copy
import dataclasses
import pickle
import subprocess
import sys
import threading
from unittest import mock
import zipapp

import pytest
from conftest import NEEDS_H5PY

import scope_profiler as sp
from scope_profiler import ProfileManager, ProfilingOptions

QUIET = {"output": None, "verbose": False, "return_results": True}


def calls(results):
    return {name: results[name].num_calls for name in sorted(results.region_names)}


def python(*args, **settings):
    """What a Python of its own does with these arguments."""
    return subprocess.run([sys.executable, *map(str, args)], capture_output=True, text=True,
                          timeout=60, **settings)


# ---- Whole programs


class Simulation:
    """Instrumented as plasma codes do it: decorated methods, blocks, properties."""

    @ProfileManager.profile("Simulation.run")
    def run(self, steps):
        done = 0
        for _ in range(steps):
            with ProfileManager.profile_region("step"):
                done += self.push()
        return done

    @ProfileManager.profile
    def push(self):
        particles = 1
        return particles

    @staticmethod
    @ProfileManager.profile("origin")
    def origin():
        return 0

    @property
    @ProfileManager.profile("energy")
    def energy(self):
        return 2


@NEEDS_H5PY
def test_a_simulation_with_options():
    options = ProfilingOptions(file_path="simulation.h5", label="run 1", recursive_profile=None)
    with ProfileManager.session(options, verbose=False, return_results=True) as session:
        simulation = Simulation()
        assert (simulation.run(3), simulation.origin(), simulation.energy) == (3, 0, 2)
    expected = {"Simulation.run": 1, "step": 3, "push": 3, "origin": 1, "energy": 1,
                "scope_profiler.session": 1}
    assert calls(session.results) == expected
    assert calls(sp.load("simulation.h5")) == expected
    assert sp.load("simulation.h5").label == "run 1"


def test_line_profiling_of_regions_that_are_there_already():
    options = ProfilingOptions(use_line_profiler=True, deactivate_file_output=True)
    with ProfileManager.session(options=options, verbose=False, return_results=True) as session:
        Simulation().run(3)
    hits = {record["region"]: record["hits"].tolist()
            for record in session.results.line_profile[0]}
    assert hits["Simulation.run"] == [1, 4, 6, 3, 1]
    assert hits["push"] == [3, 3]


def test_old_fashioned_access(clock):
    ProfileManager.setup(deactivate_file_output=True)
    for took in (30, 10, 20):
        with ProfileManager.profile_region("step"):
            clock.tick(took)
    for name, region in ProfileManager.get_all_regions().items():
        durations = region.get_durations_numpy()
        assert region.region_name == name
        assert len(durations) == region.num_calls
        assert (region.end_times - region.start_times == durations).all()
    region = ProfileManager.get_region("step")
    assert region is ProfileManager.region("step")
    assert region.num_calls == 3
    assert region.get_durations_numpy().tolist() == [30, 10, 20]
    assert region.end_times[region.end_times > 0].shape == (3,)


def test_runs_in_one_process_are_apart():
    @sp.session(**QUIET)
    def main(steps):
        for _ in range(steps):
            with sp.region("step"):
                pass
        return steps

    for steps in (3, 1):
        assert main(steps) == steps
        assert calls(sp.last_results()) == {"scope_profiler.session": 1, "step": steps}


def test_a_call_across_a_checkpoint_is_there_once_and_whole(clock):
    sp.setup(output=None)

    @sp.profile("decorated")
    def decorated():
        clock.tick(5)
        with sp.region("block"):
            clock.tick(7)
            results = sp.finalize(verbose=False, return_results=True)
            clock.tick(11)
        return results

    assert calls(decorated()) == {}
    results = sp.finalize(verbose=False, return_results=True)
    assert results["decorated"][0].durations_ns.tolist() == [23]
    assert results["block"][0].durations_ns.tolist() == [18]


@NEEDS_H5PY
def test_setup_inside_a_session_is_written_by_the_session():
    with sp.session(file_path="outer.h5", verbose=False, return_results=True) as session:
        sp.setup(file_path="inner.h5", replace=True)
        with sp.region("work"):
            pass
    assert calls(sp.load("inner.h5")) == {"work": 1} == calls(session.results)


def test_a_session_inside_another_that_replaces_it():
    with sp.session(file_path="outer.h5", verbose=False):
        with sp.session(**QUIET, replace=True) as inner:
            with sp.region("work"):
                pass
    assert calls(inner.results) == {"scope_profiler.session": 1, "work": 1}
    assert not sp.is_active()


def test_managers_with_sessions_at_the_same_time():
    found = {}
    together = threading.Barrier(4)

    def work(count):
        manager = ProfileManager()

        @manager.profile("function")
        def function():
            with manager.region("block"):
                pass

        with manager.session(**QUIET) as session:
            together.wait()
            for _ in range(count):
                function()
            together.wait()
        found[count] = calls(session.results)

    threads = [threading.Thread(target=work, args=(count,)) for count in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {
        count: {"function": count, "block": count, "scope_profiler.session": 1}
        for count in range(1, 5)
    }
    assert not sp.is_configured()


@pytest.mark.parametrize("settings, recorded", [
    ({}, {"user"}),
    ({"enable_tags": ["drop-in"]}, {"user", "library", "hot"}),
    ({"enable_tags": "*"}, {"user", "library", "hot"}),
    ({"region_tags": ["drop-in"]}, {"library", "hot"}),
    ({"region_tags": ["other"]}, set()),
])
def test_a_library_that_is_opt_in(settings, recorded):
    manager = ProfileManager()
    manager.register_opt_in_tag("drop-in")

    @manager.profile("library", tags=("drop-in",))
    def library():
        with manager.region("hot", tags=("drop-in", "kernel")):
            pass

    with manager.session(**QUIET, **settings) as session:
        library()
        with manager.region("user"):
            pass
    assert session.results is not None
    assert set(session.results.region_names) - {"scope_profiler.session"} == recorded


def test_metadata_in_every_form():
    @sp.profile("solve", metadata=lambda n, order=2: {"n": n, "order": order},
                record_outcome=True)
    def solve(n, order=2):
        if n == 0:
            raise KeyError(n)

    step = sp.region_factory("step")
    with sp.session(**QUIET) as session:
        for number in range(2):
            with step(number=number):
                pass
        with sp.metadata(job="A") as values:
            values["node"] = 7
            with sp.metadata(job="B"), sp.region("inner"):
                pass
            solve(1, order=4)
        with pytest.raises(KeyError):
            solve(0)
    noted = {name: [event.get("metadata") for event in session.results[name].events()]
             for name in ("step", "inner", "solve")}
    assert noted == {
        "step": [{"number": 0}, {"number": 1}],
        "inner": [{"job": "B", "node": 7}],
        "solve": [{"job": "A", "node": 7, "n": 1, "order": 4, "status": "ok"},
                  {"n": 0, "order": 2, "status": "error", "exception": "KeyError"}],
    }


def test_pausing_and_sampling_between_tasks():
    async def job():
        with sp.region("job"):
            await asyncio.sleep(0)

    async def main():
        task = asyncio.create_task(job())
        await asyncio.sleep(0)
        ProfileManager.pause()
        await task  # which is open, and ends as it would
        await job()
        ProfileManager.resume()
        with ProfileManager.sample_every(2) as outer, ProfileManager.sample_every(3) as inner:
            for step in range(7):
                with outer(step), inner(step):
                    await job()

    sp.setup(output=None, track_async=True)
    asyncio.run(main())
    assert ProfileManager.get_region("job").num_calls == 1 + 2      # steps 0 and 6


# ---- Objects that are kept, copied, compared, replaced


def test_options_are_a_dataclass():
    options = ProfilingOptions("x.h5", "label", hdf5=sp.HDF5Options(compression="gzip"))
    assert dataclasses.replace(options, label="other").to_kwargs() == {
        "file_path": "x.h5", "label": "other", "hdf5_compression": "gzip"
    }
    given = {name: value for name, value in dataclasses.asdict(options).items()
             if value is not None}
    assert given.keys() == {"file_path", "label", "hdf5"}
    for copied in (copy.copy(options), copy.deepcopy(options),
                   pickle.loads(pickle.dumps(options))):
        assert copied == options and copied is not options
    assert options != ProfilingOptions("x.h5")


@pytest.mark.parametrize("copied", [
    copy.copy, copy.deepcopy, lambda results: pickle.loads(pickle.dumps(results)),
])
def test_results_are_copied(copied):
    with sp.session(**QUIET) as session:
        with sp.region("work", tags=("t",)), sp.metadata(a=1), sp.region("inner"):
            pass
    twin = copied(session.results)
    assert twin.summary() == session.results.summary()
    assert twin.events() == session.results.events()
    assert twin["work"].tags == ("t",)


def test_a_subclass_with_settings_of_its_own():
    class Profiler(ProfileManager):
        @classmethod
        def setup(cls, *args, **settings):
            return super().setup(*args, **{"output": None, **settings})

        @classmethod
        def region(cls, name, *args, **kwargs):
            return super().region(f"my.{name}", *args, **kwargs)

    assert Profiler.setup().file_path is None
    with Profiler.region("work"):
        pass
    assert Profiler.recorded_regions() == ("my.work",)


def test_a_test_suite_that_replaces_the_profiler():
    for name in ("setup", "finalize", "region", "profile_region", "metadata"):
        with mock.patch.object(ProfileManager, name) as replaced:
            getattr(ProfileManager, name)("x")
        replaced.assert_called_once_with("x")
    sp.setup(output=None)
    with ProfileManager.region("back"):
        pass
    assert sp.recorded_regions() == ("back",)


@pytest.mark.parametrize("explicit", [lambda function: function, classmethod])
def test_class_methods_that_python_makes_itself(explicit):
    class Base:
        @explicit
        @sp.profile("subclass")
        def __init_subclass__(cls, **settings):
            super().__init_subclass__()
            cls.settings = settings

        @explicit
        @sp.profile("item")
        def __class_getitem__(cls, item):
            return cls, item

    sp.setup(output=None)

    class Derived(Base, tag=1):
        pass

    assert Derived.settings == {"tag": 1}
    assert Derived[int] == (Derived, int)
    assert sp.recorded_regions() == ("subclass", "item")


# ---- Where programs live


def test_a_notebook_cell():
    cell = (
        "import scope_profiler as sp\n"
        "with sp.session(output=None, verbose=False, return_results=True,\n"
        "                use_line_profiler=True) as session:\n"
        "    @sp.profile('f')\n"
        "    def f():\n"
        "        return 1\n"
        "    f(), f()\n"
    )
    namespace = {}
    exec(compile(cell, "<cell 1>", "exec"), namespace)
    [record] = [record for record in namespace["session"].results.line_profile[0]
                if record["region"] == "f"]
    assert (record["line_numbers"].tolist(), record["hits"].tolist()) == ([6], [2])


@NEEDS_H5PY
def test_an_application_in_a_zip_file(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text(
        "import scope_profiler as sp\n"
        "with sp.session(file_path='zip.h5', verbose=False):\n"
        "    with sp.region('work'): pass\n"
    )
    zipapp.create_archive(tmp_path / "app", tmp_path / "app.pyz")
    assert python("app.pyz").stderr == ""
    assert sp.load("zip.h5")["work"].num_calls == 1


@NEEDS_H5PY
def test_without_standard_output(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        with sp.session(file_path="silent.h5"), sp.region("work"):
            pass
        sp.load("silent.h5").print_summary()
    assert calls(sp.load("silent.h5")) == {"scope_profiler.session": 1, "work": 1}


# ---- What goes wrong today

_COLLECTED = """
import gc
import scope_profiler as sp

sp.setup(output=None)
returned = []

def make():
    @sp.profile("close")
    def close():
        return 1

    class Handle:
        def __del__(self):
            returned.append(close())

    handle = Handle()
    handle.itself = handle

make()
gc.collect()
assert returned == [1]
"""


def test_a_finalizer_that_calls_what_is_collected_with_it():
    assert python("-c", _COLLECTED).returncode == 0


def test_a_decorated_finalizer_when_python_ends():
    done = python("-c", "import scope_profiler as sp\n"
                        "sp.setup(output=None)\n"
                        "class Handle:\n"
                        "    @sp.profile('close')\n"
                        "    def __del__(self): pass\n"
                        "handle = Handle()\n"
                        "handle.itself = handle\n")
    assert done.returncode == 0


@pytest.mark.parametrize("forget", [
    lambda manager: manager.setup(output=None, replace=True),
    lambda manager: manager.reset(),
    lambda manager: manager._reset(),
], ids=["setup", "reset", "_reset"])
def test_other_tags_in_another_run(forget):
    manager = ProfileManager()
    manager.setup(output=None)
    manager.region("work", tags=("a",))
    forget(manager)
    assert manager.region("work", tags=("b",)).tags == ("b",)


def test_metadata_of_interleaved_generators_ends_with_them():
    def generator(name):
        with sp.metadata(name=name):
            yield

    sp.setup(output=None)
    first, second = generator("first"), generator("second")
    next(first), next(second)
    next(first, None), next(second, None)
    with sp.region("afterwards"):
        pass
    results = sp.finalize(verbose=False, return_results=True)
    assert not any(results["afterwards"][0].event_metadata or ())


@NEEDS_H5PY
def test_a_file_has_the_totals_of_the_results():
    sp.setup(file_path="x.h5")
    for _ in range(1000):
        with sp.region("work"):
            pass
    results = sp.finalize(verbose=False, return_results=True)
    assert sp.load("x.h5").summary() == results.summary()
