"""registry.c: which regions there are, and which reset() forgets."""

import asyncio
import contextlib
import gc
import random
import sys
import threading
import weakref

from conftest import NO_GIL
import pytest

from scope_profiler import ProfileManager, calls

pytestmark = pytest.mark.skipif(NO_GIL, reason="regions stay without the GIL")

FILES = {"deactivate_file_output": True}


# ---- Ways to hold the region "held": each gives what holds it


def variable(manager):
    return manager.region("held")


def container(manager):
    return [{"region": manager.region("held")}]


def weak_reference(manager):
    return weakref.ref(manager.region("held"))


def method(manager):
    return manager.region("held").get_stats


def enter(manager):
    return manager.region("held").__enter__


def leave(manager):
    return manager.region("held").__exit__


def results_of_enter(manager):
    with manager.region("held") as region:
        return region


def function(manager):
    return manager.profile("held")(lambda: None)


def wrapped_builtin(manager):
    return manager.profile("held")(len)


def static_method(manager):
    return manager.profile("held")(staticmethod(lambda: None))


def property_of(manager):
    return property(manager.profile("held")(lambda self: None))


def generator_function(manager):
    @manager.profile("held")
    def steps():
        yield

    return steps


def sleeping_generator(manager):
    generator = generator_function(manager)()
    next(generator)
    return generator


def sleeping_coroutine(manager):
    @manager.profile("held")
    async def work():
        await asyncio.sleep(0)

    coroutine = work()
    coroutine.send(None)
    return coroutine


def closing_on_exit(generator):
    next(generator)
    return generator


def open_block(manager):
    def block():
        with manager.region("held"):
            yield

    return closing_on_exit(block())


def open_block_in_another_thread(manager):
    opened, over = threading.Event(), threading.Event()

    def work():
        with manager.region("held"):
            opened.set()
            over.wait(60)

    thread = threading.Thread(target=work)
    thread.start()
    opened.wait(60)

    class Ends:
        def __del__(self):
            over.set()
            thread.join()

    return Ends()


def exit_stack(manager):
    stack = contextlib.ExitStack()
    stack.enter_context(manager.region("held"))
    return stack


def factory(manager):
    return manager.region_factory("held")


def open_factory(manager):
    def block():
        with manager.region_factory("held")(step=1):
            yield

    return closing_on_exit(block())


WAYS = (variable, container, weak_reference, method, enter, leave, results_of_enter, function,
        wrapped_builtin, static_method, property_of, generator_function, sleeping_generator,
        sleeping_coroutine, open_block, open_block_in_another_thread, exit_stack, factory,
        open_factory)


@pytest.fixture(params=[{}, {"use_line_profiler": True}, {"track_async": True}],
                ids=["plain", "lines", "tasks"])
def settings(request):
    return {**FILES, **request.param}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_is_held_stays(way, settings):
    manager = ProfileManager()
    manager.setup(**settings)
    with manager.region("before"):
        pass
    holder = way(manager)
    marked = manager.region("held")
    marked.set_source("here.py", 17)
    del marked
    with manager.region("other"), manager.region("held"):
        pass
    if way is weak_reference:
        assert holder() is not None
    manager.reset()
    assert manager.registered_regions() == ("held",)
    assert manager.region("held").source_lineno == 17
    manager.setup(**settings)
    with manager.region("new"), manager.region("held"):
        pass
    assert manager.registered_regions() == ("held", "new")
    results = manager.finalize(verbose=False, return_results=True)
    assert {name: results[name].num_calls for name in results.region_names} == {"held": 1, "new": 1}
    with contextlib.suppress(AttributeError):
        holder.close()
    del holder
    gc.collect()
    manager.reset()
    assert manager.registered_regions() == ()


def test_reset_forgets_regions():
    manager = ProfileManager()
    manager.setup(**FILES)
    for i in range(100):
        with manager.region(f"name {i}"):
            pass
    kept = manager.region("name 7"), manager.region("name 42")
    assert len(manager.registered_regions()) == 100
    manager.reset()
    assert manager.registered_regions() == ("name 7", "name 42")
    assert tuple(manager.get_all_regions().values()) == kept
    assert manager.get_region("name 8") is None and manager.get_region("name 42") is kept[1]


def test_the_name_that_is_used_again_is_a_new_region():
    manager = ProfileManager()
    name = "x" * 3
    for line in range(3):
        manager.setup(**FILES)
        with manager.region(name):
            pass
        assert manager.region(name).num_calls == 1
        assert manager.region(name).source_text != str(line - 1)
        manager.region(name).set_source("f.py", 1, str(line))
        manager.reset()


def test_memory_of_names_comes_back():
    manager = ProfileManager()

    def step(count):
        manager.setup(**FILES, aggregation_mode=True)
        for i in range(count):
            with manager.region(f"name {i}"):
                pass
        manager.reset()
        gc.collect()
        return sys.getallocatedblocks()

    step(100)
    before = step(100)
    assert step(10_000) - before < 1_000


def test_tags_of_a_forgotten_decorated_region_may_change():
    manager = ProfileManager()
    function = manager.profile("f", tags="a")(lambda: None)
    manager.reset()
    with pytest.raises(ValueError, match="has the tags"):
        manager.region("f", tags="b")
    del function
    gc.collect()
    manager.reset()
    assert manager.region("f", tags="b").tags == ("b",)


def test_watched_functions_go_with_their_region():
    def watched():
        return 1

    manager = ProfileManager()
    for hold, expected in ((True, True), (False, False)):
        manager.setup(**FILES, use_line_profiler=True)
        region = manager.region("r", functions=[watched])
        if not hold:
            del region
        manager.reset()
        manager.setup(**FILES, use_line_profiler=True)
        with manager.region("r"):
            watched()
        lines = manager.region("r").get_stats().timings
        assert any(name.endswith("watched") for _, _, name in lines) == expected
        region = None
        manager.reset()


def test_decisions_of_call_tracing_hold_their_regions():
    def traced():
        pass

    manager = ProfileManager()
    asked = []
    calls.start(manager, include=["*traced"], wanted=lambda code: asked.append(code) or True)
    try:
        manager.setup(**FILES)
        traced()
        names = manager.registered_regions()
        assert len(names) == 1
        manager.get_region(names[0]).set_source("here.py", 17)
        manager.reset()
        assert manager.registered_regions() == names
        assert manager.get_region(names[0]).source_lineno == 17
        manager.setup(**FILES)
        traced()
        assert manager.get_region(names[0]).num_calls == 1 and len(asked) == 1
    finally:
        calls.stop(manager)
    manager.reset()
    assert manager.registered_regions() == ()


def test_a_generator_that_sleeps_in_call_tracing_while_its_region_goes():
    def traced():
        yield 1
        yield 2

    manager = ProfileManager()
    manager.setup(**FILES)
    calls.start(manager, include=["*traced"])
    generator = traced()
    next(generator)
    calls.stop(manager)
    manager.reset()
    assert manager.registered_regions() == ()
    manager.setup(**FILES)
    with calls.tracing(manager, include=["*traced"]):
        next(generator)
        manager.reset()
        generator.close()
    del generator


def test_a_region_that_is_being_entered_is_not_forgotten():
    def traced():
        pass

    manager = ProfileManager()

    def ends_it_all(number):
        calls.stop(manager)
        manager._on_thread = None
        manager.reset()
        manager.setup(**FILES)
        for i in range(50):
            manager.region(f"another {i}")

    manager.setup(**FILES)
    manager._on_thread = ends_it_all
    calls.start(manager, include=["*traced"])
    thread = threading.Thread(target=traced)
    thread.start()
    thread.join()
    calls.stop(manager)
    manager.reset()
    assert manager.registered_regions() == ()


@pytest.mark.parametrize("take", ["_regions", "_collect_regions", "_collect", "_snapshot"])
def test_a_finalizer_that_resets_while_results_are_made(take):
    manager = ProfileManager()

    class Resets:
        def __init__(self):
            self.me = self

        def __del__(self):
            manager.reset()

    arguments = {"_collect": (None,), "_snapshot": (True,)}.get(take, ())
    threshold = gc.get_threshold()
    for room in range(1, 40, 3):
        manager.setup(**FILES, replace=True)
        for i in range(30):
            with manager.region(f"name {i}"):
                pass
        gc.collect()
        Resets()
        gc.set_threshold(room)
        try:
            getattr(manager, take)(*arguments)
        finally:
            gc.set_threshold(*threshold)
        gc.collect()
    manager.reset()
    assert manager.registered_regions() == ()


@pytest.mark.parametrize("lined", [False, True], ids=["plain", "lines"])
@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_things(seed, lined):
    """Names are entered, held, let go of and decorated, between setup(), finalize() and reset()."""
    chance = random.Random(seed)
    manager = ProfileManager()
    names = [f"name {i}" for i in range(12)]
    held, functions, opened = {}, {}, []
    known, counts, on = [], {}, False

    def met(name):
        if name not in known:
            known.append(name)

    def enter(name):
        with manager.region(name):
            pass
        met(name)
        counts[name] = counts.get(name, 0) + on

    def hold(name):
        region = manager.region(name)
        assert held.setdefault(name, region) is region
        met(name)

    def release(name):
        held.pop(name, None)

    def decorate(name):
        functions.setdefault(name, manager.profile(name)(lambda: None))
        met(name)

    def call(name):
        if name in functions:
            functions[name]()
            counts[name] = counts.get(name, 0) + on

    def undecorate(name):
        functions.pop(name, None)

    def open_one(name):
        def block():
            with manager.region(name):
                yield

        opened.append((name, closing_on_exit(block()), on and manager._run))
        met(name)

    def close_one(name):
        if opened:
            name, block, run = opened.pop(chance.randrange(len(opened)))
            block.close()
            if run and run is manager._run:
                counts[name] = counts.get(name, 0) + 1

    def setup(name):
        nonlocal on
        manager.setup(**FILES, replace=True, use_line_profiler=lined)
        counts.clear()
        on = True

    def finalize(name):
        results = manager.finalize(verbose=False, return_results=True)
        found = {region.name: region.num_calls for region in results if region.num_calls}
        assert found == {name: count for name, count in counts.items() if count}

    def reset(name):
        nonlocal on
        manager.reset()
        on = False
        counts.clear()
        alive = {*held, *functions, *(name for name, *_ in opened)}
        known[:] = [name for name in known if name in alive]

    steps = [enter, enter, hold, release, decorate, call, undecorate, open_one, close_one, setup,
             finalize, reset, reset]
    for _ in range(400):
        chance.choice(steps)(chance.choice(names))
        assert manager.registered_regions() == tuple(known)
        assert all(manager.get_region(name) is region for name, region in held.items())
    while opened:
        close_one(None)
    held.clear()
    functions.clear()
    gc.collect()
    manager.reset()
    assert manager.registered_regions() == ()


def callables():
    return sum(type(each).__name__ == "EnterExit" for each in gc.get_objects())


@pytest.mark.skipif(NO_GIL, reason="without the GIL they are made with the region")
def test_what_with_calls_is_made_for_a_traced_function_when_it_is_looked_up():
    def traced():
        pass

    manager = ProfileManager()
    manager.setup(**FILES)
    name = f"{__name__}.{traced.__qualname__}"
    with calls.tracing(manager):
        pass  # the first measures what tracing costs
    gc.collect()
    before = callables()
    with calls.tracing(manager, only_user_code=False):
        traced()
    region = manager.region(name)
    assert callables() == before
    with region, region:
        pass
    assert callables() == before + 2 and region.get_stats().num_calls == 3
    enter = region.__enter__
    assert enter is region.__enter__ and region.__exit__ is region.__exit__
    del region
    manager.reset()
    assert manager.registered_regions() == (name,)  # it is held by what is held
    del enter
    manager.reset()
    assert manager.registered_regions() == ()
