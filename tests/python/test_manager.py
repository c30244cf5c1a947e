"""src/python/manager_type.c and manager.py: the life of a run."""

import gc
import subprocess
import sys
import weakref

import pytest

import scope_profiler as sp
from scope_profiler import ProfileManager, _core


def enter(manager, name, times=1):
    for _ in range(times):
        with manager.profile_region(name):
            pass


def names_and_calls(manager):
    return {name: region.num_calls for name, region in manager.get_all_regions().items()}


def test_class_and_module_act_on_one_manager():
    run = sp.setup(deactivate_file_output=True)
    assert ProfileManager.is_active() and sp.is_active() and run.is_active
    with sp.region("a"), ProfileManager.profile_region("a"), sp.profile_region("b"):
        pass
    assert sp.get_region("a") is ProfileManager.get_region("a") is sp.region("a")
    assert sp.get_region("a").num_calls == 2
    assert sp.get_region("nowhere") is None
    assert list(sp.get_all_regions())[-2:] == ["a", "b"] or "a" in sp.get_all_regions()
    assert ProfileManager.region is ProfileManager.profile_region is sp.region


def test_an_instance_is_independent(manager):
    sp.setup(deactivate_file_output=True)
    enter(manager, "mine")
    enter(sp, "theirs")
    assert names_and_calls(manager) == {"mine": 1}
    assert sp.get_region("mine") is None
    assert manager.profile_region is not sp.profile_region


def test_region_takes_one_str_by_position_or_keyword(manager):
    assert manager.profile_region(region_name="x") is manager.region("x")
    for call, message in [
        (lambda r: r(), "takes region_name, functions, tags, keep_every and keep; got 0 arguments"),
        (lambda r: r("a", (), (), 4), "functions, tags, keep_every and keep; got 4 arguments"),
        (lambda r: r("a", region_name="a"), "profile_region.. got 'region_name' twice"),
        (lambda r: r(name="a"), "unexpected keyword argument 'name'; it takes region_name"),
        (lambda r: r("a", tags=3), "tags takes non-empty str, one or several; got 3"),
        (lambda r: r("a", tags=["b", 3]), "tags takes non-empty str, one or several; got .'b', 3"),
        (lambda r: r("a", tags=[""]), "tags takes non-empty str"),
        (lambda r: r(3), "region_name must be a non-empty str, got int: 3"),
        (lambda r: r(None), "region_name must be a non-empty str, got NoneType: None"),
        (lambda r: r(""), "region_name must be a non-empty str, got ''"),
        (lambda r: r("\udc80"), "region_name must be a str that UTF-8 can encode"),
    ]:
        with pytest.raises((TypeError, ValueError), match=message):
            call(manager.profile_region)
    for wrong in (3, ""):
        with pytest.raises((TypeError, ValueError), match="region_name must be"):
            manager.get_region(wrong)


def test_setup_twice_needs_replace(manager):
    with pytest.raises(RuntimeError, match="set up already"):
        manager.setup()
    first = manager._run
    second = manager.setup(replace=True, deactivate_file_output=True)
    assert second.is_active and not first.is_active
    with pytest.raises(RuntimeError, match="replaced by a later setup"):
        first.finalize(verbose=False)


def test_setup_after_finalize_begins_anew(manager):
    region = manager.profile_region("x")
    enter(manager, "x", 3)
    manager.finalize(verbose=False)
    manager.setup(deactivate_file_output=True)
    assert region.num_calls == 0 and manager.recorded_regions() == ()
    with region:
        pass
    assert region.num_calls == 1, "a region object stays valid over setup()"


def test_finalize_is_a_checkpoint(manager, capsys, clock):
    enter(manager, "x", 2)
    with manager.profile_region("open"):
        clock.tick(5)
        manager.finalize()
        assert "1 call still open" in capsys.readouterr().out
        assert manager.get_region("open").num_calls == 0
        enter(manager, "x")
        clock.tick(5)
    manager.finalize()
    assert "open" in capsys.readouterr().out
    assert names_and_calls(manager) == {"x": 3, "open": 1}
    assert manager.get_region("open").get_stats().total_ns == 10


def test_finalize_without_anything(capsys):
    manager = ProfileManager()
    assert manager.finalize() is None
    assert "setup() has not been called" in capsys.readouterr().out
    manager.setup(deactivate_file_output=True)
    manager.finalize()
    assert "No region was entered" in capsys.readouterr().out
    manager.finalize(verbose=False)
    assert capsys.readouterr().out == ""
    manager.reset()
    manager.setup(deactivate_profiling=True)
    enter(manager, "x")
    manager.finalize()
    assert "profiling is deactivated" in capsys.readouterr().out
    assert manager.get_region("x").num_calls == 0 and not manager.is_active()


def test_finalize_inside_an_exception_handler(manager):
    try:
        with manager.profile_region("x"):
            raise ValueError
    except ValueError:
        manager.finalize(verbose=False)
    assert manager.get_region("x").get_stats().errors == 1


def test_session(capsys):
    with sp.session(deactivate_file_output=True) as session:
        assert session.is_active
        enter(sp, "inside")
    assert not session.is_active and not sp.is_active()
    out = capsys.readouterr().out
    assert "scope_profiler.session" in out and "└─ inside" in out
    enter(sp, "inside")
    assert sp.get_region("inside").num_calls == 1


def test_session_finalizes_on_an_exception_and_lets_it_pass(capsys):
    with pytest.raises(KeyError, match="theirs"):
        with sp.session(deactivate_file_output=True):
            enter(sp, "before")
            raise KeyError("theirs")
    assert "before" in capsys.readouterr().out
    assert sp.get_region("scope_profiler.session").get_stats().errors == 1


def test_session_as_a_decorator(capsys):
    @sp.session(deactivate_file_output=True, verbose=False)
    def program(x):
        enter(sp, "work", x)
        return x

    assert program(2) == 2 and sp.get_region("work").num_calls == 2
    assert program(3) == 3 and sp.get_region("work").num_calls == 3
    assert capsys.readouterr().out == ""


def test_pause_and_resume(manager):
    enter(manager, "x")
    manager.pause()
    assert manager.is_active()
    enter(manager, "x", 5)
    manager.resume()
    enter(manager, "x")
    assert manager.get_region("x").num_calls == 2
    fresh = ProfileManager()
    for method in (fresh.pause, fresh.resume):
        with pytest.raises(RuntimeError, match="before setup"):
            method()


def test_recording_is_off_without_a_run():
    manager = ProfileManager()
    enter(manager, "x", 10)
    assert names_and_calls(manager) == {"x": 0}
    assert not manager.is_active() and not manager.is_configured()
    stats = manager.get_region("x").get_stats()
    assert (stats.num_calls, stats.total, stats.minimum, stats.p99) == (0, 0.0, 0.0, 0.0)


def test_names_of_regions(manager):
    manager.profile_region("never entered")
    enter(manager, "entered")
    assert manager.registered_regions() == ("never entered", "entered")
    assert manager.recorded_regions() == ("entered",)


def test_managers_and_their_regions_are_freed():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    function = manager.profile("f")(lambda: 1)
    function()
    enter(manager, "x")
    watchers = [weakref.ref(manager), weakref.ref(manager.profile_region("x"))]
    del manager, function
    gc.collect()
    assert [watcher() for watcher in watchers] == [None, None]


def test_a_region_outlives_the_name_of_its_manager():
    region = ProfileManager().profile_region("x")
    gc.collect()
    with region:
        pass
    assert region.num_calls == 0 and region.manager._recording is False


def test_auto_finalize(tmp_path):
    script = (
        "import scope_profiler as sp\n"
        "sp.setup(auto_finalize=True, deactivate_file_output=True)\n"
        "with sp.region('at the end'): pass\n"
        "raise SystemExit(3)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 3 and "at the end" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("before, after", [("", ""), ("import h5py", ""), ("", "import h5py")])
def test_auto_finalize_writes_whenever_h5py_is_imported(tmp_path, before, after):
    pytest.importorskip("h5py")
    script = (
        f"{before}\nimport scope_profiler as sp\n"
        f"sp.setup(file_path='x.h5', auto_finalize=True)\n{after}\n"
        "with sp.region('r'): pass\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert sp.load(tmp_path / "x.h5")["r"].num_calls == 1


def test_results_are_asked_for(manager, clock):
    enter(manager, "x", 2)
    assert manager.finalize(verbose=False) is None
    results = manager.finalize(verbose=False, return_results=True)
    assert results["x"].num_calls == 2
    assert manager.last_results()["x"].num_calls == 2
    assert ProfileManager().last_results() is None


def test_core_checks_what_it_is_given(core):
    other = _core.Manager()
    with pytest.raises(TypeError, match="not made directly"):
        _core.Region()
    with pytest.raises(TypeError, match="_region_type must be a subclass"):
        other._region_type = int
    with pytest.raises(TypeError):
        core._collect(3)
    with pytest.raises(TypeError):
        core._events(3)
    with pytest.raises(TypeError):
        other._factory(3)


def test_what_cannot_be_written_is_an_error_at_setup():
    manager = ProfileManager()
    with pytest.raises(ValueError, match="chunk_size must be in 1"):
        manager.setup(hdf5_chunk_size=2**40)
    assert not manager.is_configured()
    manager.setup(hdf5_chunk_size=2**40, output=None)


def test_a_session_around_a_coroutine_lasts_as_long(manager):
    import asyncio

    session = ProfileManager().session(verbose=False, deactivate_file_output=True,
                                       return_results=True)

    @session
    async def main():
        await asyncio.sleep(0)
        return True

    @manager.metadata(a=1)
    async def noted():
        await asyncio.sleep(0)
        with manager.profile_region("r"):
            pass

    assert asyncio.run(main())
    asyncio.run(noted())
    results = manager.finalize(verbose=False, return_results=True)
    assert list(results["r"][0].event_metadata) == [{"a": 1}]
    for decorator, name in ((session, "session"), (manager.metadata(b=1), "metadata")):
        with pytest.raises(TypeError, match=rf"{name}\(\) decorates no generator functions"):

            @decorator
            def generator():
                yield


def test_pause_lets_what_is_open_end(manager, clock):
    """Open calls of every kind end normally and count; new ones do not."""

    @manager.profile("generator")
    def generator():
        yield
        yield

    @manager.profile("decorated")
    def decorated():
        with manager.profile_region("block"):
            next(steps)
            manager.pause()
            clock.tick(1)
        enter(manager, "block")
        recurse()

    @manager.profile("recurse")
    def recurse():
        clock.tick(10)

    steps = generator()
    decorated()
    list(steps)
    enter(manager, "block")
    found = {name: manager.get_region(name).get_stats() for name in
             ("generator", "decorated", "block", "recurse")}
    assert {name: stats.num_calls for name, stats in found.items()} == {
        "generator": 1, "decorated": 1, "block": 1, "recurse": 0}
    assert {stats.open_calls for stats in found.values()} == {0}
    assert found["decorated"].total_ns == 11 and found["block"].total_ns == 1
    manager.resume()
    recurse()
    assert manager.get_region("recurse").num_calls == 1
    assert manager._counters()["unmatched"] == 0


def test_pause_in_tasks_and_threads(manager):
    """A server is switched off while it works."""
    import asyncio
    import threading

    async def request(paused):
        with manager.profile_region("request"):
            await paused.wait()
        with manager.profile_region("late"):
            await asyncio.sleep(0)

    async def main():
        paused = asyncio.Event()
        requests = [asyncio.ensure_future(request(paused)) for _ in range(5)]
        await asyncio.sleep(0)
        manager.pause()
        paused.set()
        await asyncio.gather(*requests)

    entered, go = threading.Event(), threading.Event()

    def work():
        with manager.profile_region("thread"):
            entered.set()
            go.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    entered.wait(10)
    asyncio.run(main())
    go.set()
    thread.join()
    assert [manager.get_region(name).num_calls for name in ("request", "thread")] == [5, 1]
    assert manager.get_region("late").num_calls == 0
    assert manager._counters()["open"] == 0


def test_running_and_waiting_are_none_where_they_are_not_measured(manager, clock):
    import asyncio

    @manager.profile("coroutine")
    async def coroutine():
        with manager.profile_region("block"):
            clock.tick(1)
            await asyncio.sleep(0)
            clock.tick(1)

    asyncio.run(coroutine())
    measured, block = (manager.get_region(name).get_stats() for name in ("coroutine", "block"))
    assert (measured.running_ns, measured.waiting_ns, measured.running) == (2, 0, 2e-9)
    assert (block.running_ns, block.waiting_ns, block.running, block.waiting) == (None,) * 4
    assert block.to_dict()["waiting"] is None
    manager.setup(track_async=True, deactivate_file_output=True, replace=True)
    asyncio.run(coroutine())
    assert manager.get_region("block").get_stats().waiting_ns == 0


def test_a_run_that_is_to_print_nothing(capsys):
    """verbose of the run is what finalize() does where it is not told."""
    manager = ProfileManager()
    for verbose, given, printed in (
        (False, {}, False), (False, {"verbose": True}, True), (True, {"verbose": False}, False),
        (True, {"verbose": None}, True), (None, {}, True),
    ):
        manager.setup(deactivate_file_output=True, replace=True, verbose=verbose)
        assert manager.get_config().verbose is (verbose is not False)
        manager.finalize(**given)
        assert bool(capsys.readouterr().out) is printed, (verbose, given)
    for options in ({"verbose": False}, {"options": sp.ProfilingOptions(verbose=False)}):
        with manager.session(deactivate_file_output=True, replace=True, **options) as session:
            session.finalize()
        assert capsys.readouterr().out == ""
    with pytest.raises(TypeError, match="verbose takes True or False, got str"):
        manager.setup(verbose="no")
    with pytest.raises(TypeError, match="verbose takes True or False, got str"):
        manager.session(verbose="no")
    manager.reset()
