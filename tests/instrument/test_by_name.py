"""instrumentation.py: which functions are decorated, and under which names."""

import asyncio
import functools
import inspect
import math
from types import ModuleType

import pytest

from conftest import calls_of
from scope_profiler import ProfileManager
from scope_profiler._instrument.by_name import instrument

SOURCE = '''
from math import sqrt
from os.path import join
import functools

def solve(n):
    return helper(n) + 1

def helper(n):
    return n * 2

def _private():
    return "private"

async def fetch():
    return "fetched"

def steps():
    yield 1
    yield 2

@functools.lru_cache
def cached():
    return "cached"

def __getattr__(name):
    raise AttributeError(name)

number = 3
bound = [].append

class Thing:
    def method(self):
        return "method"
'''


@pytest.fixture
def module():
    module = ModuleType("toolbox")
    exec(SOURCE, vars(module))
    return module


class Base:
    def inherited(self):
        return "inherited"


class Solver(Base):
    """Rebuilt for each test by a copy of its attributes, see `solver`."""

    def __init__(self, n=1):
        self.n = n

    def __call__(self):
        return self.n

    def __eq__(self, other):
        return self.n == other.n

    def step(self):
        return super().inherited()

    @staticmethod
    def static(x):
        return x

    @classmethod
    def of(cls, n):
        return cls(n)

    @property
    def size(self):
        """How large."""
        return self.n

    @size.setter
    def size(self, n):
        self.n = n

    @size.deleter
    def size(self):
        self.n = 0

    @functools.cached_property
    def lazy(self):
        return "lazy"

    join = staticmethod(math.sqrt)
    imported = inspect.getsource

    class Inner:
        def deep(self):
            return "deep"


@pytest.fixture
def solver():
    """The class, put back afterwards."""
    kept = dict(vars(Solver))
    yield Solver
    for name, value in kept.items():
        if vars(Solver)[name] is not value:
            setattr(Solver, name, value)


def test_the_own_functions_of_a_module(manager, module):
    before = dict(vars(module))
    changed = instrument(manager, module)
    assert list(changed) == ["solve", "helper", "_private", "fetch", "steps"]
    for name, value in vars(module).items():
        assert value is changed.get(name, before[name]), name
    assert manager.registered_regions() == tuple(f"toolbox.{name}" for name in changed)
    assert module.solve(4) == 9 and module._private() == "private"
    assert asyncio.run(module.fetch()) == "fetched" and list(module.steps()) == [1, 2]
    counts = {name: region.num_calls for name, region in manager.get_all_regions().items()}
    assert counts == {"toolbox.solve": 1, "toolbox.helper": 1, "toolbox._private": 1,
                      "toolbox.fetch": 1, "toolbox.steps": 1}
    assert inspect.iscoroutinefunction(module.fetch)
    assert inspect.isgeneratorfunction(module.steps)


def test_a_second_time_adds_nothing(manager, module, solver):
    assert instrument(manager, module) and instrument(manager, solver)
    functions = dict(vars(module))
    assert instrument(manager, module) == {} == instrument(manager, solver)
    assert dict(vars(module)) == functions
    module.solve(1)
    assert manager.get_region("toolbox.solve").num_calls == 1


@pytest.mark.parametrize("name", ["solve", "fetch", "steps"])
def test_what_profile_decorated_is_left_alone(manager, module, name):
    decorated = manager.profile("mine")(getattr(module, name))
    setattr(module, name, decorated)
    assert name not in instrument(manager, module)
    assert getattr(module, name) is decorated


def test_what_another_decorator_made_is_no_obstacle(manager, module):
    @functools.wraps(module.solve)
    def outside(n):
        return module.helper(n)

    module.solve = outside
    assert "solve" in instrument(manager, module)
    assert module.solve(2) == 4 and manager.get_region("toolbox.solve").num_calls == 1


def test_a_metadata_decorator_is_none_of_profile(manager, module):
    module.solve = manager.metadata(case="a")(module.solve)
    module.fetch = manager.profile("mine", tags="t")(module.fetch)
    changed = instrument(manager, module, tags=["fast", "t"])
    assert "solve" in changed and "fetch" not in changed
    assert set(manager.get_region("toolbox.solve").tags) == {"fast", "t"}


@pytest.mark.parametrize("chosen, names", [
    ({"include": "solve"}, ["solve"]),
    ({"include": ["s*", "helper"]}, ["solve", "helper", "steps"]),
    ({"include": (name for name in ["?elper"])}, ["helper"]),
    ({"include": "SOLVE"}, []),
    ({"include": ()}, []),
    ({"exclude": ["_*", "f*"]}, ["solve", "helper", "steps"]),
    ({"include": "s*", "exclude": "*e"}, ["steps"]),
    ({"include": "__getattr__"}, ["__getattr__"]),
    ({"include": ["__*", "helper"]}, ["helper", "__getattr__"]),
    ({"include": "__*", "exclude": "*attr*"}, []),
])
def test_names_are_chosen_by_globs(manager, module, chosen, names):
    assert list(instrument(manager, module, **chosen)) == names


def test_what_is_named_is_decorated_wherever_it_was_defined(manager, module):
    module.here = lambda: "here"
    module.here.__module__ = "elsewhere"
    module.partial = functools.partial(module.here)
    exec("import types\nwork = types.FunctionType((lambda: 'work').__code__, {})", vars(module))
    module.work.__module__ = None
    names = ["join", "sqrt", "work", "here", "partial", "solve"]
    assert sorted(instrument(manager, module, include=names)) == sorted(names)
    assert instrument(manager, module, include=names) == {}
    assert (module.sqrt(4), module.work(), module.here(), module.partial()) == (
        2.0, "work", "here", "here")
    assert manager.get_region("toolbox.sqrt").num_calls == 1
    # Not classes, nor what cannot be called; nor what is only matched, or left out.
    assert instrument(manager, module, include=["Thing", "number", "nothing", "?oin"]) == {}
    module.join = functools.partial(module.join.__wrapped__)
    assert instrument(manager, module, include="join", exclude="j*") == {}


def test_what_is_named_in_a_class(manager, module):
    class Mixed:
        helper = module.helper
        static = staticmethod(module.helper)

    assert instrument(manager, Mixed) == {}
    assert list(instrument(manager, Mixed, include=["helper", "static"])) == ["helper", "static"]
    assert Mixed.static(2) == 4


def test_prefix_takes_the_place_of_the_name(manager, module):
    instrument(manager, module, include="solve", prefix="lib")
    instrument(manager, module, include="helper", prefix="")
    assert manager.registered_regions() == ("lib.solve", "toolbox.helper")


def test_the_own_methods_of_a_class(manager, solver):
    changed = instrument(manager, solver)
    assert list(changed) == ["__init__", "__call__", "step", "static", "of", "size"]
    for name, value in changed.items():
        assert vars(solver)[name] is value
    thing = solver.of(3)
    assert thing() == 3 and thing.step() == "inherited" and thing.static(5) == 5
    assert solver.static(6) == 6 and thing.lazy == "lazy" and thing.join(4) == 2
    assert thing.size == 3
    thing.size = 4
    del thing.size
    assert thing.n == 0 and solver.size.__doc__ == "How large."
    counts = {name: region.num_calls for name, region in manager.get_all_regions().items()}
    assert counts == {
        "Solver.__init__": 1, "Solver.__call__": 1, "Solver.step": 1, "Solver.static": 2,
        "Solver.of": 1, "Solver.size": 1, "Solver.size.setter": 1, "Solver.size.deleter": 1,
    }
    assert "inherited" not in changed and manager.get_region("Inner.deep") is None


def test_dunder_methods_by_name(manager, solver):
    assert list(instrument(manager, solver, include="__eq__")) == ["__eq__"]
    assert solver(1) == solver(1)
    assert manager.get_region("Solver.__eq__").num_calls == 1


def test_a_class_defined_elsewhere_has_its_own_methods(manager, module):
    assert list(instrument(manager, module.Thing)) == ["method"]
    module.Thing.alien = Solver.step
    assert instrument(manager, module.Thing) == {}
    assert instrument(manager, int) == {}


def test_it_follows_every_run(module):
    manager = ProfileManager()
    instrument(manager, module)
    assert module.solve(1) == 3
    for _ in range(2):
        manager.setup(deactivate_file_output=True, replace=True)
        module.solve(1)
        assert manager.get_region("toolbox.solve").num_calls == 1
    manager.reset()


@pytest.mark.parametrize("arguments, message", [
    ({"module": "toolbox"}, "module takes a module or a class, got str: 'toolbox'"),
    ({"module": None}, "module takes a module or a class, got NoneType: None"),
    ({"module": len}, "module takes a module or a class, got builtin_function_or_method"),
    ({"include": 3}, "include takes glob patterns, got int: 3"),
    ({"include": None}, "include takes glob patterns, got NoneType: None"),
    ({"exclude": ["x", b"y"]}, "exclude takes glob patterns, got bytes: b'y'"),
    ({"prefix": 3}, "prefix takes a str, got int: 3"),
])
def test_bad_arguments(manager, module, arguments, message):
    before = dict(vars(module))
    with pytest.raises(TypeError, match=message):
        instrument(manager, **{"module": module, **arguments})
    assert dict(vars(module)) == before and manager.registered_regions() == ()


def test_profile_on_a_class_points_here(manager, solver):
    with pytest.raises(TypeError, match="pass the class to instrument"):
        manager.profile("x")(solver)


def test_two_names_for_one_function_stay_two_names_for_one(manager, module):
    class Number:
        def __add__(self, other):
            return other

        __radd__ = __add__
        value = property(lambda self: 1)
        same_value = value

    module.twice = module.helper
    instrument(manager, module)
    instrument(manager, Number, include=["*", "__*"], prefix="Number")
    assert module.twice is module.helper
    assert Number.__radd__ is Number.__add__
    assert Number.same_value is Number.value
    assert (module.twice(2), 1 + Number(), Number().same_value) == (4, 1, 1)
    assert {"toolbox.helper", "Number.__add__", "Number.value"} <= set(calls_of(manager))
