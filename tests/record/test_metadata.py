"""src/record/metadata.c, src/python/factory.c: metadata of calls, attached by context."""

import asyncio
import contextlib
import contextvars
import gc
import threading
import warnings
import weakref

import pytest

import scope_profiler as sp
from scope_profiler import ProfileManager


def noted(manager, name):
    """The metadata of each call of a region, in the order of starts."""
    return list(manager.finalize(verbose=False, return_results=True)[name][0].event_metadata)


def enter(manager, name):
    with manager.profile_region(name):
        pass


def test_scopes_add_up_and_the_innermost_wins(manager):
    enter(manager, "r")
    with manager.metadata(step=1, job="a") as outer:
        enter(manager, "r")
        with manager.metadata(step=2) as inner:
            enter(manager, "r")
        enter(manager, "r")
    enter(manager, "r")
    assert outer == {"step": 1, "job": "a"} and inner == {"step": 2, "job": "a"}
    assert noted(manager, "r") == [
        {}, {"step": 1, "job": "a"}, {"step": 2, "job": "a"}, {"step": 1, "job": "a"}, {},
    ]


def test_values_may_be_added_while_it_is_open(manager):
    with manager.metadata(step=1) as values:
        enter(manager, "r")
        values["residual"] = 0.5
    assert noted(manager, "r") == [{"step": 1, "residual": 0.5}]
    values["late"] = True  # results are not changed by that
    results = manager.last_results()
    assert results["r"][0].event_metadata[0] == {"step": 1, "residual": 0.5}


def test_a_call_begun_before_is_not_inside(manager):
    with manager.profile_region("around"):
        with manager.metadata(a=1):
            enter(manager, "inside")
            late = manager.profile_region("late")
            late.__enter__()
        late.__exit__(None, None, None)
    assert noted(manager, "around") == [{}]
    assert noted(manager, "inside") == [{"a": 1}]


def test_threads_do_not_see_each_others(manager):
    ready, go = threading.Event(), threading.Event()

    def work():
        ready.wait()
        enter(manager, "thread")
        go.set()

    thread = threading.Thread(target=work)
    thread.start()
    with manager.metadata(job="main"):
        ready.set()
        go.wait()
        enter(manager, "main")
    thread.join()
    assert noted(manager, "thread") == [{}]
    assert noted(manager, "main") == [{"job": "main"}]


def test_tasks_have_their_own(manager):
    async def work(number):
        with manager.metadata(task=number):
            for _ in range(3):
                with manager.profile_region(f"r{number}"):
                    await asyncio.sleep(0)

    async def main():
        await asyncio.gather(*map(work, range(4)))

    asyncio.run(main())
    for number in range(4):
        assert noted(manager, f"r{number}") == [{"task": number}] * 3


def test_a_scope_is_used_once_at_a_time(manager):
    scope = manager.metadata(a=1)
    with scope:
        with pytest.raises(RuntimeError, match="open already: make one for each"):
            scope.__enter__()
        enter(manager, "r")
    with scope:
        enter(manager, "r")
    assert noted(manager, "r") == [{"a": 1}] * 2


def test_it_decorates(manager):
    @manager.metadata(kind="decorated")
    def work(depth=2):
        """Doc."""
        enter(manager, "r")
        if depth:
            work(depth - 1)

    work()
    assert work.__name__ == "work" and work.__doc__ == "Doc."
    assert noted(manager, "r") == [{"kind": "decorated"}] * 3


def test_arguments_by_position_are_an_error(manager):
    with pytest.raises(TypeError, match=r"metadata\(\) takes keyword arguments alone.*got 1"):
        manager.metadata({"a": 1})
    with pytest.raises(TypeError, match="region factory.* takes keyword arguments alone"):
        manager.region_factory("x")(3)


def test_exceptions_pass_and_the_scope_ends(manager):
    with pytest.raises(ZeroDivisionError):
        with manager.metadata(a=1), manager.profile_region("r"):
            1 / 0
    enter(manager, "r")
    assert noted(manager, "r") == [{"a": 1}, {}]


def test_it_holds_across_setup(manager):
    with manager.metadata(a=1):
        enter(manager, "r")
        manager.setup(deactivate_file_output=True, replace=True)
        enter(manager, "r")
        assert noted(manager, "r") == [{"a": 1}]
        assert len(manager._annotations()[0]) == 1


@pytest.mark.parametrize("context", [None, contextvars.copy_context()], ids=["here", "copied"])
def test_without_a_run_it_waits_for_one(context):
    """One that begins inside it, in its context: there it is as if it had begun before."""
    manager = ProfileManager()

    def program():
        other = contextvars.ContextVar("other")
        other.set(1)
        with manager.metadata(a=1, b=1) as outer:
            left = manager.metadata(c=1)
            with left, manager.metadata(b=2) as inner:
                generator = suspended()
                contextvars.copy_context().run(next, generator)
                manager.setup(deactivate_file_output=True)
                enter(manager, "r")
                inner["d"] = 4
            enter(manager, "r")
            generator.close()
        enter(manager, "r")
        assert (outer, inner) == ({"a": 1, "b": 1}, {"a": 1, "b": 2, "c": 1, "d": 4})
        assert noted(manager, "r") == [{"a": 1, "b": 2, "c": 1, "d": 4}, {"a": 1, "b": 1}, {}]
        with manager.metadata(e=1):
            manager.reset()
        with manager.metadata(f=1):
            manager.setup(deactivate_file_output=True)
            enter(manager, "r")
        assert noted(manager, "r") == [{"f": 1}]

    def suspended():
        with manager.metadata(elsewhere=1):
            yield

    abandoned = manager.metadata(abandoned=1)
    if context is None:
        program()
    else:
        context.run(abandoned.__enter__)
        del abandoned
        context.run(program)
    manager.reset()


def test_a_scope_that_is_entered_again_below_one_that_stayed_open(manager):
    """As a decorated coroutine's in each of its steps."""
    outer, inner = manager.metadata(a=1), manager.metadata(b=2)
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    outer.__enter__()
    enter(manager, "r")
    inner.__exit__(None, None, None)
    enter(manager, "r")
    outer.__exit__(None, None, None)
    enter(manager, "r")
    assert noted(manager, "r") == [{"a": 1, "b": 2}, {"a": 1}, {}]


def test_left_in_another_context(manager):
    scope = manager.metadata(a=1)
    contextvars.copy_context().run(scope.__enter__)
    scope.__exit__(None, None, None)
    enter(manager, "r")
    assert noted(manager, "r") == [{}]


def test_managers_are_apart(manager):
    other = ProfileManager()
    other.setup(deactivate_file_output=True)
    with manager.metadata(a=1), other.metadata(b=2):
        enter(manager, "r")
        enter(other, "r")
    assert noted(manager, "r") == [{"a": 1}] and noted(other, "r") == [{"b": 2}]


def test_aggregation_keeps_no_metadata_and_no_memory(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, aggregation_mode=True)
    with manager.metadata(a=1):
        enter(manager, "r")
    with manager.region_factory("f")(a=1):
        pass
    work = manager.profile("w", metadata={"a": 1}, record_outcome=True)(lambda: 3)
    assert work() == 3
    assert manager._annotations() == ([], 0, None)
    assert [manager.get_region(name).num_calls for name in "rfw"] == [1, 1, 1]


def test_without_a_run_it_costs_nothing_and_breaks_nothing():
    manager = ProfileManager()
    with manager.metadata(a=1) as values, manager.region_factory("f")(b=2):
        enter(manager, "r")
    assert values == {"a": 1} and manager._annotations()[0] == []


def test_only_scopes_with_calls_are_kept(manager):
    for step in range(100):
        with manager.metadata(step=step):
            if step % 50 == 0:
                enter(manager, "r")
    assert manager._annotations()[0] == [{"step": 0}, {"step": 50}]


def test_region_factory(manager, clock):
    factory = manager.region_factory("f", tags=["t"])
    assert factory.name == "f" and factory.region is manager.get_region("f")
    assert "f" in repr(factory) and isinstance(factory, sp.RegionFactory)
    with factory(step=7) as region:
        clock.tick(5)
        enter(manager, "inside")
    with factory():
        pass
    assert region is factory.region
    assert noted(manager, "f") == [{"step": 7}, {}]
    assert noted(manager, "inside") == [{"step": 7}]
    assert region.get_durations_numpy().tolist() == [5, 0]


def test_of_decorated_functions(manager):
    @manager.profile("fixed", metadata={"kind": "k"})
    def fixed():
        enter(manager, "inside")

    @manager.profile("given", metadata=lambda x, *, y=2: {"x": x, "y": y})
    def given(x, *, y=2):
        return x + y

    fixed()
    assert given(1) + given(5, y=3) == 11
    assert noted(manager, "fixed") == noted(manager, "inside") == [{"kind": "k"}]
    assert noted(manager, "given") == [{"x": 1, "y": 2}, {"x": 5, "y": 3}]


@pytest.mark.parametrize("broken, reason", [
    (lambda: 1 / 0, "ZeroDivisionError"),
    (lambda: 3, "TypeError"),
    (lambda: [("a", 1)], "TypeError"),
])
def test_broken_metadata_is_counted_and_does_not_hurt(manager, capsys, broken, reason):
    work = manager.profile("w", metadata=broken)(lambda: "result")
    assert work() == "result" and work() == "result"
    manager.finalize()
    printed = capsys.readouterr().out
    assert f"2 times metadata could not be noted; the first time: {reason}" in printed


class Stop(BaseException):
    pass


class WithKeys:
    def __init__(self, error):
        self.error = error

    def keys(self):
        raise self.error


class Attributes:
    def __init__(self, error):
        self.error = error

    def __getattr__(self, name):
        raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), Stop()], ids=repr)
@pytest.mark.parametrize("give", ["raise", WithKeys, Attributes])
@pytest.mark.parametrize("record_outcome", [False, True])
def test_what_is_no_exception_passes_from_metadata(manager, error, give, record_outcome):
    """Whatever the kind of function: its body does not run, and nothing is counted as broken."""
    failing = True

    def given():
        if not failing:
            return {"a": 1}
        if give == "raise":
            raise error
        return give(error)

    profile = manager.profile("w", metadata=given, record_outcome=record_outcome)
    ran = []

    @profile
    def function():
        ran.append("function")

    @profile
    def generator():
        ran.append("generator")
        yield

    @profile
    async def coroutine():
        ran.append("coroutine")

    @profile
    async def agen():
        ran.append("agen")
        yield

    def step(coroutine):
        with pytest.raises((StopIteration, StopAsyncIteration)):
            coroutine.send(None)

    uses = {
        "function": lambda: function(),
        "generator": lambda: next(generator()),
        "coroutine": lambda: step(coroutine()),
        "agen": lambda: anext(agen()).send(None),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing was left that is never awaited
        for use in uses.values():
            with pytest.raises(type(error)) as caught:
                use()
            assert caught.value is error
        gc.collect()
    assert ran == [] and manager._counters()["open"] == 0
    failing = False
    for name, use in uses.items():
        if name == "agen":
            with pytest.raises(StopIteration):
                use()
        else:
            use()
    assert ran == list(uses)
    assert [entry["a"] for entry in noted(manager, "w")] == [1] * 4
    assert manager._annotations()[1] == 0


def test_outcomes(manager):
    @manager.profile("o", record_outcome=True, metadata=lambda error: {"given": error is not None})
    def work(error):
        enter(manager, "inside")
        if error is not None:
            raise error

    class Own(BaseException):
        pass

    work(None)
    for error in (ValueError("x"), KeyError("y"), ValueError("z"), Own()):
        with pytest.raises(type(error)) as caught:
            work(error)
        assert caught.value is error
    bad = [{"given": True, "status": "error", "exception": name}
           for name in ("ValueError", "KeyError", "ValueError", "Own")]
    assert noted(manager, "o") == [{"given": False, "status": "ok"}, *bad]
    assert noted(manager, "inside") == [{"given": False}] + [{"given": True}] * 4
    assert manager.get_region("o").get_stats().errors == 4


def test_the_same_outcomes_are_kept_once(manager):
    work = manager.profile("o", record_outcome=True)(lambda: None)
    for _ in range(1000):
        work()
    assert manager._annotations()[0] == [(None, None)]
    assert noted(manager, "o") == [{"status": "ok"}] * 1000


def test_outcomes_in_recursion(manager, clock):
    @manager.profile("o", record_outcome=True)
    def work(depth):
        clock.tick(1)
        if depth == 0:
            raise ValueError
        with contextlib.suppress(ValueError):
            work(depth - 1)

    work(2)
    assert [entry["status"] for entry in noted(manager, "o")] == ["ok", "ok", "error"]


def test_of_generators_and_coroutines(manager):
    @manager.profile("g", metadata=lambda n: {"n": n}, record_outcome=True)
    def generator(n):
        for i in range(n):
            enter(manager, "inside")
            yield i
        if n == 3:
            raise KeyError

    @manager.profile("c", metadata={"c": 1}, record_outcome=True)
    async def coroutine():
        with manager.profile_region("awaiting"):
            await asyncio.sleep(0)

    @manager.profile("a", metadata={"a": 1}, record_outcome=True)
    async def agen():
        with manager.profile_region("yielding"):
            yield 1
        raise ValueError

    first, second = generator(2), generator(3)
    assert [next(first), next(second), next(first), next(second)] == [0, 0, 1, 1]
    enter(manager, "between")
    assert next(first, "end") == "end" and next(second) == 2
    with pytest.raises(KeyError):
        next(second)

    async def main():
        await coroutine()
        with pytest.raises(ValueError):
            async for _ in agen():
                enter(manager, "between")

    asyncio.run(main())
    assert noted(manager, "g") == [
        {"n": 2, "status": "ok"}, {"n": 3, "status": "error", "exception": "KeyError"},
    ]
    assert [entry["n"] for entry in noted(manager, "inside")] == [2, 3, 2, 3, 3]
    assert noted(manager, "between") == [{}, {}]
    assert noted(manager, "c") == [{"c": 1, "status": "ok"}]
    assert noted(manager, "awaiting") == [{"c": 1}]
    assert noted(manager, "a") == [{"a": 1, "status": "error", "exception": "ValueError"}]
    assert noted(manager, "yielding") == [{"a": 1}]


def test_bad_arguments(manager):
    for wrong, message in [
        ({"metadata": 3}, "metadata takes a dict or a callable that gives one, got int: 3"),
        ({"record_outcome": 3}, "record_outcome takes a bool, got int: 3"),
        ({"recursive": "yes"}, "recursive takes a bool, got str: 'yes'"),
        ({"tags": 3}, "tags takes non-empty str, one or several; got 3"),
    ]:
        with pytest.raises(TypeError, match=message):
            manager.profile("w", **wrong)(lambda: None)


def test_many_switches_over_many_blocks(manager):
    for step in range(3000):
        if step % 3:
            with manager.metadata(step=step):
                enter(manager, "r")
        else:
            enter(manager, "r")
    assert noted(manager, "r") == [{"step": step} if step % 3 else {} for step in range(3000)]


def test_nothing_is_kept_when_the_manager_goes(clock):
    class Value:
        pass

    manager, value = ProfileManager(), Value()
    manager.setup(deactivate_file_output=True)
    with manager.metadata(value=value):
        enter(manager, "r")
    manager.profile("w", metadata={"v": value}, record_outcome=True)(lambda: None)()
    gone = weakref.ref(value)
    del value, manager
    gc.collect()
    assert gone() is None


def test_managers_that_used_metadata_leave_no_variables():
    def use():
        manager = ProfileManager()
        manager.setup(deactivate_file_output=True)
        with manager.metadata(a=1), manager.region_factory("f")(b=2):
            enter(manager, "r")

    use()
    before = len(contextvars.copy_context())
    for _ in range(20):
        use()
    gc.collect()
    assert len(contextvars.copy_context()) == before


def test_managers_interleave(manager):
    """They share a variable, and each sees its own scopes alone, in whichever order they end."""
    other = ProfileManager()
    other.setup(deactivate_file_output=True)
    first, second = manager.metadata(a=1), other.metadata(b=1)
    third, fourth = manager.metadata(c=1), other.metadata(d=1)
    for scope in (first, second, third, fourth):
        scope.__enter__()
    for scope in (None, second, third, first, fourth):
        if scope is not None:
            scope.__exit__(None, None, None)
        enter(manager, "r")
        enter(other, "r")
    assert noted(manager, "r") == [{"a": 1, "c": 1}, {"a": 1, "c": 1}, {"a": 1}, {}, {}]
    inner = {"b": 1, "d": 1}
    assert noted(other, "r") == [inner, inner, inner, inner, {}]
