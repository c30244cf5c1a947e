"""code_finder.py: the code objects of the functions that a module defines."""

import os
import sys

import pytest

from scope_profiler._instrument.code_finder import Pattern, functions_in, is_function, meant

SOURCE = '''
import functools

def decorator(f):
    return None

@decorator
def replaced(): pass

class Outer:
    numbers = [n for n in range(3)]
    key = lambda self: 1

    class Inner:
        async def method(self): pass

    @property
    def value(self):
        def helper(): return [i for i in ()]
        return helper

if True:
    def conditional():
        return (lambda: (x for x in ()))

def generator():
    class Local:
        def method(self): yield
    yield Local
'''

PLAIN = ["decorator", "replaced", "Outer.Inner.method", "Outer.value", "conditional", "generator"]
NESTED = ["Outer.value.<locals>.helper", "generator.<locals>.Local.method"]
NAMELESS = ["Outer.<lambda>", "conditional.<locals>.<lambda>",
            "conditional.<locals>.<lambda>.<locals>.<genexpr>"]
COMPREHENSIONS = ["Outer.<listcomp>", "Outer.value.<locals>.helper.<locals>.<listcomp>"]


@pytest.fixture
def code():
    return compile(SOURCE, "module.py", "exec")


def names(codes):
    return [code.co_qualname for code in codes]


def test_what_a_module_defines_is_found_whatever_decorates_it(code):
    assert names(functions_in(code)) == PLAIN


def test_functions_inside_of_functions_are_found_on_request(code):
    assert sorted(names(functions_in(code, nested=True))) == sorted(PLAIN + NESTED)


def test_nameless_functions_are_found_on_request(code):
    found = names(functions_in(code, nested=True, nameless=True))
    comprehensions = COMPREHENSIONS if sys.version_info < (3, 12) else []
    if sys.version_info >= (3, 12) and "Outer.<listcomp>" in found:
        comprehensions = ["Outer.<listcomp>"]  # 3.12 does not inline those of a class
    assert sorted(found) == sorted(PLAIN + NESTED + NAMELESS + comprehensions)


def test_modules_and_classes_are_no_functions(code):
    assert not is_function(code)
    outer = next(constant for constant in code.co_consts if getattr(constant, "co_name", "") == "Outer")
    assert not is_function(outer) and names(functions_in(outer))[0] == "Outer.Inner.method"


def test_what_is_found_is_the_code_that_runs(code):
    namespace = {}
    exec(code, namespace)
    assert namespace["conditional"].__code__ in [each for each in functions_in(code)
                                                 if each is namespace["conditional"].__code__]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters are new in 3.12")
def test_type_parameters_are_passed_through():
    code = compile("def f[T](x: T) -> T: return x\nclass C[T]:\n    def m[S](self): pass", "m.py", "exec")
    assert names(functions_in(code)) == ["f", "C.m"]


@pytest.mark.parametrize("pattern, module, path, expected", [
    ("module", "module", None, PLAIN),
    ("mod*", "module", None, PLAIN),
    ("package", "package.module", None, PLAIN),
    ("pack*.mod*", "package.module", None, PLAIN),
    ("module.Outer", "module", None, ["Outer.Inner.method", "Outer.value"]),
    ("module.Outer.Inner.method", "module", None, ["Outer.Inner.method"]),
    ("module:Outer.Inner.*", "module", None, ["Outer.Inner.method"]),
    ("module.gen*", "module", None, ["generator"]),
    ("*.generator", "module", None, ["generator"]),
    ("other", "module", None, []),
    ("mod", "module", None, []),
    ("src/*.py", "module", "src/module.py", PLAIN),
    ("src/", "module", "src/below/module.py", PLAIN),
    ("src/m?dule.py", "module", "src/module.py", PLAIN),
    ("other/*.py", "module", "src/module.py", []),
    ("src/module.py", "module", None, []),
])
def test_patterns_mean_files_modules_and_what_is_in_them(code, pattern, module, path, expected):
    path = path and os.path.abspath(path)
    assert names(meant([Pattern(pattern)], module, path, code)) == expected
    if expected:
        pattern = Pattern(pattern)
        assert pattern.has_file(path) or pattern.may_have_part_of(module)


def test_inner_functions_are_meant_with_what_they_are_in(code):
    found = names(meant([Pattern("module.Outer.value")], "module", None, code, nested=True))
    assert found == ["Outer.value", "Outer.value.<locals>.helper"]
    found = names(meant([Pattern("module.generator.Local")], "module", None, code, nested=True))
    assert found == ["generator.<locals>.Local.method"]


@pytest.mark.parametrize("pattern, module", [
    ("a.b.c", "a"), ("a.b.c", "a.b"), ("a.b.c", "a.b.c"), ("a.b", "a.b.c"), ("*.f", "a"), ("a.*.f", "a.b"),
])
def test_which_modules_are_worth_a_look(pattern, module):
    assert Pattern(pattern).may_have_part_of(module)


@pytest.mark.parametrize("pattern, module", [
    ("a.b.c", "b"), ("a.b.c", "a.bc"), ("a.*", "b.a"), ("a/b.py", "a"),
])
def test_which_are_not(pattern, module):
    assert not Pattern(pattern).may_have_part_of(module)
