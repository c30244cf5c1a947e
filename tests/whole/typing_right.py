"""What type checkers are to make of the public interface; test_typing.py checks it, and runs it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar, Unpack, assert_type

import numpy as np
from numpy.typing import NDArray

import scope_profiler as sp
from scope_profiler import ProfileManager

T = TypeVar("T")


# ---- Decorators: what is decorated keeps its type.


@sp.profile
def bare(number: int, *, text: str = "") -> float:
    return number / 2


@sp.profile()
def called(number: int) -> float:
    return number / 2


@ProfileManager.profile("named", metadata=lambda number: {"n": number}, tags=["t"])
def named(number: int) -> float:
    return number / 2


@sp.profile("generic", recursive=False, metadata={"a": 1}, record_outcome=True, tags="t")
def generic(thing: T) -> list[T]:
    return [thing]


@sp.profile
def generator(number: int) -> Iterator[int]:
    yield number


@sp.profile
async def coroutine(number: int) -> str:
    return str(number)


@sp.profile("async generator")
async def async_generator(number: int) -> AsyncIterator[int]:
    yield number


class Solver:
    @sp.profile
    def method(self, number: int) -> str:
        return str(number)

    @sp.profile("outer static")
    @staticmethod
    def outer_static(number: int) -> str:
        return str(number)

    @staticmethod
    @sp.profile("inner static")
    def inner_static(number: int) -> str:
        return str(number)

    @sp.profile
    @classmethod
    def outer_class(cls, number: int) -> "type[Solver]":
        return cls

    @property
    @sp.profile("value")
    def value(self) -> int:
        return 1


assert_type(bare(1, text="x"), float)
assert_type(called(1), float)
assert_type(named(number=1), float)
assert_type(generic("x"), list[str])
assert_type(list(generator(1)), list[int])
assert_type(Solver().method(1), str)
assert_type(Solver.outer_static(1), str)
assert_type(Solver.inner_static(1), str)
assert_type(Solver.outer_class(1), type[Solver])
assert_type(Solver().value, int)
assert_type(sp.profile("object")(staticmethod(called))(1), float)
assert_type(sp.profile("partial")(len)([1]), int)


async def awaits() -> None:
    assert_type(await coroutine(1), str)
    assert_type([item async for item in async_generator(1)], list[int])


# ---- Runs


def setup(manager: ProfileManager, **settings: Unpack[sp.SetupOptions]) -> sp.ProfilingRun:
    return manager.setup(auto_finalize=False, **settings)


manager = ProfileManager()
run = setup(manager, deactivate_file_output=True, enable_tags=["t"])
assert_type(run, sp.ProfilingRun)
assert_type(run.is_active, bool)
assert_type(run.file_path, str | None)
assert_type(run.finalize(verbose=False), sp.ProfilingResults)
assert_type(run.finalize(False, return_results=False), sp.ProfilingResults | None)
assert_type(run.results, sp.ProfilingResults | None)
assert_type(manager.finalize(False), None)
assert_type(manager.finalize(verbose=False, return_results=True), sp.ProfilingResults)
assert_type(manager.finalize(False, True), sp.ProfilingResults)
assert_type(manager.last_results(), sp.ProfilingResults | None)
assert_type(manager.is_active(), bool)
assert_type(ProfileManager.is_configured(), bool)
assert_type(manager.registered_regions(), tuple[str, ...])
assert_type(manager.reset(), None)

options = sp.ProfilingOptions(deactivate_file_output=True, hdf5=sp.HDF5Options(chunk_size=10))
assert_type(options.to_kwargs(), dict[str, Any])
with sp.session(options, verbose=False, return_results=True, output=None) as session:
    assert_type(session.is_active, bool)
    assert_type(sp.get_config(), sp.ProfilingConfig)
    assert_type(sp.get_config().track_threads, bool)
    assert_type(sp.get_config().enable_tags, tuple[str, ...])
assert_type(session.results, sp.ProfilingResults | None)


@sp.session(verbose=False, deactivate_file_output=True)
def in_session(number: int) -> str:
    return str(number)


assert_type(in_session(1), str)
assert_type(sp.run(bare, 3, deactivate_file_output=True, label="x"), float)
assert_type(sp.run(named, 3, output=Path("typed.h5"), verbose=False), float)


# ---- Regions

sp.setup(deactivate_file_output=True, replace=True)
assert_type(sp.region("a"), sp.ProfileRegion)
assert_type(ProfileManager.profile_region("a"), sp.ProfileRegion)
assert_type(manager.region("a", functions=[named], tags="t"), sp.ProfileRegion)
assert_type(sp.define_region("defined", tags=("t",)), sp.ProfileRegion)
assert_type(sp.get_region("a"), sp.ProfileRegion | None)
assert_type(sp.get_all_regions(), dict[str, sp.ProfileRegion])
with sp.region("a") as region:
    assert_type(region, sp.ProfileRegion)
assert_type(region.name, str)
assert_type(region.tags, tuple[str, ...])
assert_type(region.num_calls, int)
assert_type(region.start_times, NDArray[np.int64])
assert_type(region.get_stats(), sp.RegionStatistics)
assert_type(region.get_stats().total, float)
assert_type(region.get_stats().total_ns, int)
assert_type(region.wrap(named)(1), float)
assert_type(region.manager, ProfileManager)

with sp.metadata(step=1) as values:
    assert_type(values, dict[str, Any])
assert_type(sp.metadata(step=1)(named)(1), float)
factory = sp.region_factory("made", tags=["t"])
assert_type(factory, sp.RegionFactory)
with factory(step=3) as made:
    assert_type(made, sp.ProfileRegion)
with sp.sample_every(10) as profile_step:
    step: AbstractContextManager[bool] = profile_step(timestep=3)
    with step as wanted:
        assert_type(wanted, bool)
assert_type(sp.instrument(Solver, include="m*", exclude=["x"]), dict[str, Any])
assert_type(sp.register_opt_in_tag("opt", "in"), None)


# ---- Results

results = sp.finalize(False, return_results=True)
assert_type(results["a"], sp.MPIRegion)
assert_type(results["a"][0], sp.Region)
assert_type(results["a"].total_duration, float)
assert_type(results["a"][0].exclusive_duration, float | None)
assert_type([one.name for one in results], list[str])
assert_type(results.threads, dict[int, list[sp.ThreadInfo]])
assert_type(sp.merge_results(results), sp.ProfilingResults)
assert_type(sp.write_profile(results, "typed.json"), Path)
assert_type(sp.write_json(results, "typed.json", indent=1), Path)
assert_type(sp.load("typed.json"), sp.ProfilingResults)
assert_type(sp.load_processes("typed.json", verbose=True), sp.ProfilingResults)
reader: Callable[[str], sp.ProfilingResults] = sp.ProfilingH5Reader
assert_type(sp.convert("typed.json", "again.json"), Path)
assert_type(results.between(0, 1).where(step=1).for_rank(0), sp.ProfilingResults)
