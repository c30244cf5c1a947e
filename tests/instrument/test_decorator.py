"""decorator.py: what can be asked of a function, of its code and of what it returns is answered as
without us. A table of kinds of callables, one of questions, and the moments in which they are asked.
"""

import asyncio
import collections.abc
import contextlib
import copy
import functools
import inspect
import os
import pickle
import types
import typing

import pytest

from scope_profiler import ProfileManager

# ---- What is decorated: {name: a function that returns it, made anew each time}

KINDS = {}


def kind(make):
    KINDS[make.__name__] = make
    return make


@kind
def function():
    def f(a=1, /, b: int = 2, *args, c: "str" = "c", **kwargs) -> float:
        """Doc."""
        return a

    f.mark = 1
    return f


@kind
def function_of_lambda():
    return lambda a=1: a


@kind
def generator_function():
    def f(a=1, *, b: int = 2) -> "list":
        """Doc."""
        got = yield a
        return got

    return f


@kind
def coroutine_function():
    async def f(a=1, *, b: int = 2) -> "list":
        """Doc."""
        return await step(a)

    return f


@kind
def async_generator_function():
    async def f(a=1, *, b: int = 2):
        """Doc."""
        yield await step(a)

    return f


@kind
def types_coroutine():
    @types.coroutine
    def f(a=1):
        """Doc."""
        got = yield a
        return got

    return f


@kind
def types_coroutine_that_returns_a_coroutine():
    @types.coroutine
    def f(a=1):
        return step(a)

    return f


@kind
def types_coroutine_that_returns_an_iterator_of_its_own():
    class Steps(collections.abc.Generator):
        def send(self, value):
            raise StopIteration(3)

        def throw(self, *error):
            raise error[0]

    @types.coroutine
    def f(a=1):
        return Steps()

    return f


if hasattr(inspect, "markcoroutinefunction"):

    @kind
    def marked_as_coroutine_function():
        @inspect.markcoroutinefunction
        def f(a=1):
            return step(a)

        return f

    @kind
    def generator_marked_as_coroutine_function():
        @inspect.markcoroutinefunction
        @types.coroutine
        def f(a=1):
            return (yield a)

        return f


@kind
def marked_for_asyncio():
    def f(a=1):
        return step(a)

    f._is_coroutine = asyncio.coroutines._is_coroutine
    return f


@kind
def wraps_a_coroutine_function():
    inner = coroutine_function()

    @functools.wraps(inner)
    def f(*args, **kwargs):
        return inner(*args, **kwargs)

    return f


@kind
def context_manager():
    @contextlib.contextmanager
    def f(a=1):
        yield a

    return f


@kind
def async_context_manager():
    @contextlib.asynccontextmanager
    async def f(a=1):
        yield a

    return f


def _partial_of(make):
    @kind
    def partial():
        return functools.partial(make(), 5)

    KINDS[f"partial of a {make.__name__}"] = KINDS.pop("partial")


def _method_of(make):
    @kind
    def method():
        return types.MethodType(make(), 5)

    KINDS[f"method from a {make.__name__}"] = KINDS.pop("method")


for _make in (function, generator_function, coroutine_function, async_generator_function,
              types_coroutine):
    _partial_of(_make)
    _method_of(_make)


@kind
def cached():
    return functools.lru_cache(function())


@kind
def abstract():
    import abc

    return abc.abstractmethod(function())


@kind
def annotated_by_what_is_not_there():
    def f(a: "NotThere" = 1):
        return a

    return f


@kind
def builtin():
    return os.getpid


@kind
def callable_object():
    class Callable:
        """Doc."""

        def __call__(self, a=1):
            return a

    return Callable()


@kind
def async_callable_object():
    class Callable:
        async def __call__(self, a=1):
            return await step(a)

    return Callable()


@types.coroutine
def step(value):
    return (yield value)


# ---- What is asked

_KIND_FLAGS = (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
               | inspect.CO_ITERABLE_COROUTINE)

OF_A_CALLABLE = [
    inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction,
    inspect.isawaitable, inspect.isdatadescriptor, inspect.isabstract, inspect.isclass,
    asyncio.iscoroutinefunction, callable,
    inspect.signature, inspect.getdoc, inspect.getmodule, inspect.getsource,
    lambda f: typing.get_type_hints(inspect.unwrap(f)),
    lambda f: isinstance(f, collections.abc.Callable),
    lambda f: f.__module__, lambda f: f.__doc__, lambda f: f.__isabstractmethod__,
    lambda f: f.mark, lambda f: f.cache_info().maxsize,
    lambda f: bool(f), lambda f: f == f, lambda f: hash(f) == hash(f),
    lambda f: f.no_such_attribute, lambda f: f < f,
]

# What is a function stays one. Of other callables, those that run generators and coroutines become
# functions.
OF_A_FUNCTION = [
    inspect.isfunction, inspect.isroutine, inspect.ismethod, inspect.isbuiltin,
    inspect.ismethoddescriptor, typing.get_type_hints,
    lambda f: f.__name__, lambda f: f.__qualname__, lambda f: f.__annotations__,
    lambda f: f.__type_params__,
    lambda f: isinstance(f, types.FunctionType), lambda f: f.__class__,
    lambda f: f.__defaults__, lambda f: f.__kwdefaults__, lambda f: f.__builtins__ is not None,
    lambda f: f.__code__.co_flags & _KIND_FLAGS,
    lambda f: {name: value for name, value in vars(f).items()
               if name != "__wrapped__" and name not in functools.WRAPPER_ASSIGNMENTS},
    lambda f: copy.copy(f) is f, lambda f: copy.deepcopy(f) is f,
    lambda f: types.MethodType(f, 5).__func__ is f, lambda f: f.__get__(5).__self__,
]

OF_A_RESULT = [
    inspect.isawaitable, inspect.iscoroutine, inspect.isgenerator, inspect.isasyncgen,
    asyncio.iscoroutine,
    lambda r: isinstance(r, collections.abc.Awaitable),
    lambda r: isinstance(r, collections.abc.Coroutine),
    lambda r: isinstance(r, collections.abc.Generator),
    lambda r: type(r).__name__, lambda r: r.__name__, lambda r: r.__qualname__,
    lambda r: r.gi_code.co_flags & _KIND_FLAGS, lambda r: r.cr_code.co_flags & _KIND_FLAGS,
    lambda r: r.ag_code.co_flags & _KIND_FLAGS,
    lambda r: inspect.getgeneratorstate(r), lambda r: inspect.getcoroutinestate(r),
    lambda r: r.gi_yieldfrom, lambda r: r.cr_await, lambda r: r.ag_await,
    lambda r: r.gi_running, lambda r: r.cr_running, lambda r: r.cr_origin,
]


def answer(question, asked):
    try:
        return question(asked)
    except Exception as error:
        return type(error)


async def awaits(result):
    return await result


def drive(result):
    """What comes of the result of a call: two steps of it, awaited if it can be."""
    if hasattr(result, "__anext__"):
        result = result.__anext__()
    steps = awaits(result) if inspect.isawaitable(result) else result
    if not hasattr(steps, "send"):
        return type(result)
    try:
        return [steps.send(None), steps.send("sent")]
    except StopIteration as stop:
        return "returned", stop.value


def answers(function, is_function):
    """Every answer that there is: {question: answer}."""
    questions = OF_A_CALLABLE + OF_A_FUNCTION * is_function
    found = {text(question): answer(question, function) for question in questions}
    for question in OF_A_RESULT:
        result = function()
        found["result", text(question)] = answer(question, result)
        if hasattr(result, "close"):
            result.close()
    return {**found, "driven": drive(function())}


def text(question):
    if question.__name__ != "<lambda>":
        return question.__qualname__
    return question.__code__.co_firstlineno, str(question.__code__.co_names)


def asked(manager, make, **decoration):
    """How to ask the decorated callable, and the answers of the original."""
    function = make()
    ask = functools.partial(answers, is_function=type(function) is types.FunctionType)
    profiled = manager.profile("r", **decoration)(function)
    return functools.partial(ask, profiled), ask(function)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_every_answer_is_that_of_the_original(make):
    manager = ProfileManager()
    ask, expected = asked(manager, make)
    assert ask() == expected, "before setup()"
    for settings in ({}, {"use_line_profiler": True}, {"track_async": True}):
        manager.setup(deactivate_file_output=True, replace=True, **settings)
        assert ask() == expected, f"during a run with {settings}"
    manager.pause()
    assert ask() == expected, "paused"
    manager.setup(deactivate_profiling=True, replace=True)
    assert ask() == expected, "deactivated"
    manager.reset()
    assert ask() == expected, "after reset()"


@pytest.mark.parametrize("how", [
    {"record_outcome": True}, {"metadata": {"a": 1}}, {"recursive": True},
], ids=lambda how: next(iter(how)))
def test_in_whatever_way_it_is_decorated(how):
    for name, make in KINDS.items():
        manager = ProfileManager()
        ask, expected = asked(manager, make, **how)
        manager.setup(deactivate_file_output=True)
        try:
            assert ask() == expected, name
        finally:
            manager.reset()


def test_answers_where_profiling_is_disabled(monkeypatch):
    monkeypatch.setattr("scope_profiler._base.environment.DISABLED", True)
    for make in KINDS.values():
        function = make()
        assert ProfileManager().profile("r")(function) is function


# ---- Those that go to and fro


def at_module_level(a=1):
    return a


@types.coroutine
def waits(a=1):
    return (yield a)


def test_pickled_as_the_original(monkeypatch):
    for name in ("at_module_level", "waits"):
        profiled = ProfileManager().profile("r")(globals()[name])
        monkeypatch.setitem(globals(), name, profiled)
        assert pickle.loads(pickle.dumps(profiled)) is profiled
        assert copy.deepcopy([profiled]) == [profiled]
    partial = ProfileManager().profile("r")(functools.partial(at_module_level, 2))
    assert pickle.loads(pickle.dumps(partial))() == copy.copy(partial)() == 2
    bound = ProfileManager().profile("r")([1, 2].index)
    assert pickle.loads(pickle.dumps(bound))(2) == 1


def test_an_instrumented_module_of_generator_based_coroutines():
    module = types.ModuleType("module")
    exec("import types\n@types.coroutine\ndef wait(): yield\n"
         "async def main(): return [await wait() for _ in range(3)]", vars(module))
    manager = ProfileManager()
    assert sorted(manager.instrument(module)) == ["main", "wait"]
    assert manager.instrument(module) == {}  # it knows its own
    for is_on in (False, True, False):
        if is_on:
            manager.setup(deactivate_file_output=True)
        assert asyncio.run(module.main()) == [None] * 3
        assert manager.get_region("module.wait").num_calls == 3 * is_on
        manager.reset()


@pytest.mark.parametrize("track_async", [False, True])
def test_what_a_future_says_of_its_coroutine(track_async):
    class Awaitable:
        def __await__(self):
            return (yield)

    async def native():
        pass

    def facts(coroutine):
        return [question(coroutine) for question in (
            inspect.iscoroutine, inspect.isgenerator, inspect.isawaitable, asyncio.iscoroutine,
            lambda c: isinstance(c, types.CoroutineType), lambda c: c.__class__,
            lambda c: c.__qualname__)]

    async def main():
        tasks = [asyncio.ensure_future(each) for each in (Awaitable(), waits(None), native())]
        found = [facts(task.get_coro()) for task in tasks]
        await asyncio.gather(*tasks)
        return found

    expected = asyncio.run(main())
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, track_async=track_async)
    assert asyncio.run(main()) == expected
    manager.reset()
