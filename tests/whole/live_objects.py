"""What can be open while a run changes, and how it changes. `python live_objects.py CHANGE` drives
each of them through one change, and all of them at once, and checks what the run has afterwards.

An object is a function (manager, change) that calls change() while something of the region "object"
is open, and enters the region "inside" afterwards; CALLS says how many calls of "object" that makes
in a run that it began and ended in. A change is a function (manager, settings) that says whether the
run afterwards is the one from before (KEPT), a new one (NEW), or none (OFF)."""

import asyncio
import contextlib
import faulthandler
import gc
import io
import os
import sys
import threading
import warnings

from scope_profiler import ProfileManager, _core

try:
    from greenlet import greenlet
except ImportError:
    greenlet = None

KEPT, NEW, OFF = "kept", "new", "off"
FILES = {"deactivate_file_output": True}
OBJECTS = []  # (name, function, calls, settings)
CHANGES = {}


class Planned(Exception):
    """Raised by objects, which catch it."""


def an_object(*, calls=1, **settings):
    def add(function):
        if function.__name__.startswith("greenlet") and greenlet is None:
            return function
        OBJECTS.append((function.__name__, function, calls, settings))
        return function

    return add


def a_change(function):
    CHANGES[function.__name__] = function
    return function


def inside(manager):
    with manager.region("inside"):
        pass


# ---- Objects


@an_object()
def block(manager, change):
    with manager.region("object"):
        change()
        inside(manager)


@an_object(calls=2)
def block_in_itself(manager, change):
    with manager.region("object"):
        with manager.region("object"):
            change()
            inside(manager)


@an_object()
def block_by_hand(manager, change):
    with contextlib.ExitStack() as stack:
        stack.enter_context(manager.region("object"))
        change()
        inside(manager)


@an_object()
def block_with_tags(manager, change):
    with manager.region("object", tags=("a", "b")):
        change()
        inside(manager)


@an_object()
def decorated(manager, change):
    @manager.profile("object")
    def work():
        change()
        inside(manager)

    work()


@an_object()
def decorated_and_dropped(manager, change):
    def work():
        nonlocal work
        del work
        gc.collect()
        change()
        inside(manager)

    work = manager.profile("object")(work)
    work()


@an_object()
def decorated_with_metadata(manager, change):
    @manager.profile("object", metadata=lambda x: {"x": x}, record_outcome=True)
    def work(x):
        change()
        inside(manager)

    work(3)


@an_object()
def decorated_that_fails(manager, change):
    @manager.profile("object", metadata={"a": 1}, record_outcome=True)
    def work():
        change()
        inside(manager)
        raise Planned

    with contextlib.suppress(Planned):
        work()


@an_object(calls=3)
def decorated_in_recursion(manager, change):
    @manager.profile("object", record_outcome=True)
    def work(depth):
        if depth:
            work(depth - 1)
        else:
            change()
            inside(manager)
        if depth == 1:
            raise Planned

    with contextlib.suppress(Planned):
        work(2)


@an_object()
def builtin(manager, change):
    class Sorted:
        def __lt__(self, other):
            change()
            inside(manager)
            return True

    manager.profile("object", record_outcome=True)(sorted)([Sorted(), Sorted()])


def _generator(manager, **how):
    @manager.profile("object", **how)
    def count():
        got = yield 1
        with manager.region("step"):
            yield got

    return count


def _drive(generator, change):
    assert next(generator) == 1
    change()
    assert generator.send(2) == 2
    assert list(generator) == []


@an_object()
def generator(manager, change):
    _drive(_generator(manager)(), change)
    inside(manager)


@an_object()
def generator_with_metadata(manager, change):
    _drive(_generator(manager, metadata={"a": 1}, record_outcome=True)(), change)
    inside(manager)


@an_object()
def generator_closed(manager, change):
    live = _generator(manager, record_outcome=True)()
    next(live)
    change()
    live.close()
    inside(manager)


@an_object()
def generator_thrown_into(manager, change):
    live = _generator(manager, metadata={"a": 1}, record_outcome=True)()
    next(live)
    change()
    with contextlib.suppress(Planned):
        live.throw(Planned())
    inside(manager)


@an_object()
def generator_dropped(manager, change):
    live = _generator(manager, record_outcome=True)()
    next(live)
    change()
    del live
    gc.collect()
    inside(manager)


@an_object()
def generator_in_its_step(manager, change):
    @manager.profile("object", record_outcome=True)
    def count():
        change()
        yield 1

    list(count())
    inside(manager)


@an_object(calls=2)
def generators_that_take_turns(manager, change):
    one, two = (_generator(manager, record_outcome=True)() for _ in range(2))
    next(one), next(two)
    change()
    list(one), list(two)
    inside(manager)


@an_object()
def block_in_a_generator(manager, change):
    def count():
        with manager.region("object"), manager.metadata(a=1):
            yield 1
            inside(manager)

    live = count()
    next(live)
    change()
    list(live)


@an_object()
def generator_of_a_thread_that_ended(manager, change):
    live = _generator(manager, metadata={"a": 1}, record_outcome=True)()
    in_thread(lambda: next(live))
    change()
    list(live)
    inside(manager)


@an_object()
def block_of_a_thread_that_ended(manager, change):
    def count():
        with manager.region("object"):
            yield 1

    live = count()
    in_thread(lambda: next(live))
    change()
    list(live)
    inside(manager)


class _Switch:
    """What a coroutine awaits to give way."""

    def __await__(self):
        yield


@an_object(calls=2)
def coroutines(manager, change):
    @manager.profile("object", metadata={"a": 1}, record_outcome=True)
    async def work(fails):
        await _Switch()
        with manager.region("step"):
            await _Switch()
        if fails:
            raise Planned

    live = [work(False), work(True)]
    for one in live:
        one.send(None)
    change()
    for one in live:
        one.send(None)
    for one in live:
        with contextlib.suppress(StopIteration, Planned):
            one.send(None)
    inside(manager)


@an_object()
def async_generator(manager, change):
    @manager.profile("object", metadata={"a": 1}, record_outcome=True)
    async def count():
        yield 1
        yield 2

    async def main():
        live = count()
        assert await live.asend(None) == 1
        change()
        assert [value async for value in live] == [2]
        inside(manager)

    asyncio.run(main())


def _tasks(manager, change):
    @manager.profile("object", metadata=lambda i: {"i": i}, record_outcome=True)
    async def work(i):
        with manager.metadata(deep=i):
            await asyncio.sleep(0)
            if i == 1:
                change()
            with manager.region("step"):
                await asyncio.sleep(0)
        if i == 2:
            raise Planned

    async def main():
        await asyncio.gather(*map(work, range(3)), return_exceptions=True)
        inside(manager)

    asyncio.run(main())


@an_object(calls=3)
def tasks(manager, change):
    _tasks(manager, change)


@an_object(calls=3, track_async=True)
def tasks_tracked(manager, change):
    _tasks(manager, change)


def _greenlets(manager, change):
    @manager.profile("object", metadata=lambda i: {"i": i}, record_outcome=True)
    def work(i):
        greenlet.getcurrent().parent.switch()
        with manager.region("step"):
            greenlet.getcurrent().parent.switch()
        if i:
            raise Planned

    def body(i):
        with contextlib.suppress(Planned):
            work(i)

    live = [greenlet(body) for _ in range(2)]
    for i, one in enumerate(live):
        one.switch(i)
    change()
    for one in (*live, *live):
        one.switch()
    inside(manager)


@an_object(calls=2)
def greenlets(manager, change):
    _greenlets(manager, change)


@an_object(calls=2, track_async=True)
def greenlets_tracked(manager, change):
    _greenlets(manager, change)


@an_object()
def task(manager, change):
    task = _core.Task(manager)
    task.enter()
    with manager.region("object"):
        change()
    task.leave(False)
    task.enter()
    task.leave(True)
    task.facts()
    inside(manager)


@an_object(calls=0)
def metadata_scope(manager, change):
    with manager.metadata(a=1) as values:
        change()
        inside(manager)
        values["b"] = 2


@an_object()
def factory(manager, change):
    with manager.region_factory("object")(a=1):
        change()
        inside(manager)


@an_object()
def thread(manager, change):
    @manager.profile("object", record_outcome=True)
    def work():
        opened.set()
        changed.wait()

    opened, changed = threading.Event(), threading.Event()
    other = threading.Thread(target=work)
    other.start()
    opened.wait()
    try:
        change()
    finally:
        changed.set()
        other.join()
    inside(manager)  # in the child of a fork there is no other thread


@an_object()
def in_a_thread_that_ends(manager, change):
    in_thread(lambda: decorated_with_metadata(manager, change))


@an_object()
def traced_call(manager, change):
    def called():
        change()
        inside(manager)

    @manager.profile("object", recursive=True, record_outcome=True)
    def work():
        called()

    work()


@an_object(recursive_profile=True)
def traced_generator(manager, change):
    def count():
        yield 1
        yield 2

    @manager.profile("object")
    def work():
        live = count()
        next(live)
        change()
        list(live)
        inside(manager)

    work()


@an_object(use_line_profiler=True)
def line_block(manager, change):
    with manager.region("object"):
        change()
        inside(manager)


@an_object(use_line_profiler=True)
def line_function(manager, change):
    @manager.profile("object", metadata={"a": 1}, record_outcome=True)
    def work():
        change()
        inside(manager)

    work()


@an_object(use_line_profiler=True)
def line_generator(manager, change):
    _drive(_generator(manager, record_outcome=True)(), change)
    inside(manager)


@an_object(use_line_profiler=True)
def line_watch(manager, change):
    def watched():
        yield 1
        yield 2

    with manager.region("object", functions=[watched]):
        live = watched()
        next(live)
        change()
        list(live)
        inside(manager)


# ---- Changes


def setup(manager, settings, **others):
    manager.setup(replace=True, **FILES, **{**settings, **others})


def in_thread(function):
    errors = []

    def work():
        try:
            function()
        except BaseException as error:
            errors.append(error)

    other = threading.Thread(target=work)
    other.start()
    other.join()
    if errors:
        raise errors[0]


def report(manager):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        results = manager.finalize(verbose=True, return_results=True)
    assert "Traceback" not in out.getvalue()
    return results


@a_change
def nothing(manager, settings):
    return KEPT


@a_change
def finalize(manager, settings):
    report(manager)
    return KEPT


@a_change
def pause_and_resume(manager, settings):
    with contextlib.suppress(RuntimeError):  # in an open region
        manager.pause()
    manager.resume()
    return KEPT


@a_change
def sampled(manager, settings):
    with manager.sample_every(2) as profile_step, profile_step(1):
        pass
    return KEPT


@a_change
def replace(manager, settings):
    setup(manager, settings)
    return NEW


@a_change
def replace_often(manager, settings):
    for _ in range(3):
        setup(manager, settings)
        inside_of_run = manager.region("short")
        with inside_of_run, manager.metadata(b=2):
            report(manager)
    return NEW


@a_change
def replace_by_aggregation(manager, settings):
    setup(manager, settings, aggregation_mode=True)
    return NEW


@a_change
def replace_by_lines(manager, settings):
    setup(manager, settings, use_line_profiler=not settings.get("use_line_profiler", False))
    return NEW


@a_change
def replace_by_tracking(manager, settings):
    setup(manager, settings, track_async=not settings.get("track_async", False),
          track_threads=True)
    return NEW


@a_change
def replace_by_tracing(manager, settings):
    setup(manager, settings, recursive_profile=True)
    setup(manager, settings)
    return NEW


@a_change
def deactivate(manager, settings):
    setup(manager, settings, deactivate_profiling=True)
    return OFF


@a_change
def reset(manager, settings):
    manager.reset()
    return OFF


@a_change
def reset_and_setup(manager, settings):
    manager.reset()
    gc.collect()
    setup(manager, settings)
    return NEW


@a_change
def fork(manager, settings):
    if sys.version_info >= (3, 14) and asyncio._get_running_loop() is not None:
        return KEPT  # an event loop does not go on in a child
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.environ["LIVE_OBJECTS_CHILD"] = "1"
        return NEW
    assert os.waitpid(child, 0)[1] == 0, "the child died"
    return KEPT


@a_change
def thread_that_ends(manager, settings):
    def record():
        with manager.region("short"), manager.metadata(thread=1):
            _generator(manager, record_outcome=True)()

    for _ in range(3):
        in_thread(record)
    return KEPT


@a_change
def other_manager(manager, settings):
    other = ProfileManager()
    other.setup(**FILES, **settings)
    for name, function, *_ in OBJECTS[:8]:
        function(other, lambda: inside(manager_of_short(manager)))
    report(other)
    other.setup(replace=True, **FILES)
    other.reset()
    del other
    gc.collect()
    return KEPT


class manager_of_short:
    """A manager whose regions are all "short"."""

    def __init__(self, manager):
        self.manager = manager

    def region(self, name):
        return self.manager.region("short")


# ---- Driving


def check(manager, state, expected):
    """The run has what it should, with its metadata, and goes on recording."""
    if state != OFF:
        for _ in range(3):
            with manager.region("after"):
                pass
    results = report(manager)
    found = {region.name: region.num_calls for region in results}
    if state == OFF:
        assert found == {}, found
        return
    assert found.get("object", 0) == (expected if state == KEPT else 0), found
    assert found["inside"] >= 1 and found["after"] == 3, found
    for region in results:
        for values in region[0].event_metadata or ():
            assert isinstance(values, dict)
            if "status" in values:
                assert (values["status"] == "error") == ("exception" in values), values
                assert values.get("exception") in (None, "Planned", "GeneratorExit"), values
    counters = manager._counters()
    assert counters["lost"] == counters["dropped"] == 0, counters
    assert manager._annotations()[1:] == (0, None), manager._annotations()


def drive(name, calls, settings, change, run):
    """run(manager, change) with the change in its middle, and again in what is left of it."""
    print(name, flush=True)
    manager = ProfileManager()
    states = []
    setup(manager, settings)
    run(manager, lambda: states.append(CHANGES[change](manager, settings)))
    check(manager, states[0], calls)
    setup(manager, settings)
    run(manager, lambda: None)
    check(manager, KEPT, calls)
    manager.reset()
    gc.collect()


def nested(objects):
    """All of them, each inside the one before."""

    def run(manager, change, at=0):
        if at == len(objects):
            change()
        else:
            objects[at](manager, lambda: run(manager, change, at + 1))

    return run


def main(change):
    gc.freeze()  # or each collection takes as long as the rest
    faulthandler.dump_traceback_later(90, exit=True)  # a deadlock
    warnings.simplefilter("ignore", DeprecationWarning)  # a fork with threads
    for name, function, calls, settings in OBJECTS:
        drive(name, calls, settings, change, function)
        leave_child()
    plain = [o for o in OBJECTS if not o[3] and not o[0].startswith("async_") and o[0] != "tasks"]
    drive("all at once", sum(o[2] for o in plain), {}, change, nested([o[1] for o in plain]))
    leave_child()


def leave_child():
    if os.environ.get("LIVE_OBJECTS_CHILD"):
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except BaseException:
        if not os.environ.get("LIVE_OBJECTS_CHILD"):
            raise
        sys.excepthook(*sys.exc_info())
        os._exit(1)
