"""src/base/map.c: entries that come and go, in any order. Tested by what lies in one: decisions about code,
which are forgotten when it dies. For many entries that stay: test_thousands_of_paths_in_any_order."""

from collections import Counter

from hypothesis import given, settings, strategies as st

from conftest import examples
from scope_profiler import ProfileManager
from scope_profiler._instrument import call_tracing as calls

SOURCE = compile("def function(): pass", "user.py", "exec")


def new_function(name):
    made = {"__name__": "user"}
    exec(SOURCE, made)
    function = made["function"]
    function.__code__ = function.__code__.replace(co_qualname=name)  # code of its own
    return function


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=400))
@settings(max_examples=examples(40))
def test_functions_that_come_and_go(steps):
    """Each step calls one, made when it is missing, and may drop it."""
    manager, functions, called = ProfileManager(), {}, Counter()
    manager.setup(deactivate_file_output=True)
    try:
        with calls.tracing(manager, include=["user.f*"], only_user_code=False):
            for number, drops in steps:
                name = f"f{number}"
                functions.setdefault(name, new_function(name))()
                called["user." + name] += 1
                if drops:
                    del functions[name]
        assert {row[1].name: row[2] for row in manager._collect(None)} == called
    finally:
        manager.reset()


def test_thousands_that_go_at_once():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    with calls.tracing(manager, include=["user.f*"], only_user_code=False):
        for count in (3_000, 5):
            functions = [new_function(f"f{number}") for number in range(count)]
            for function in functions:
                function()
            del functions, function
    counts = {row[1].name: row[2] for row in manager._collect(None)}
    assert counts == {f"user.f{number}": 1 + (number < 5) for number in range(3_000)}
    manager.reset()
