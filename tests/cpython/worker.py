"""Runs one module of CPython's tests in this process, and notes how each test ends.

    worker.py TEST OUTCOMES [--decorate | --watch | --register] [MODULE...]

TEST is a module of the package `test`. OUTCOMES is the file that gets a line of JSON for each test
that begins or ends, so that a crash or a hang shows where. The functions of the MODULEs are
decorated for the process-wide manager, before the tests are imported, or watched, or registered with
a LineProfiler. The exit status does not depend on how the tests end.
"""

import contextlib
import importlib
import json
import os
import sys
import types
import unittest


class Outcomes(unittest.TestResult):
    """Writes (kind, test id, reason) for each thing that happens to a test."""

    def __init__(self, path):
        super().__init__()
        # Tests close descriptors, replace builtins and fork: nothing here is buffered or looked up.
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._write, self._dumps = os.write, json.dumps

    def note(self, kind, test=None, reason=""):
        name = test.id() if test is not None else ""
        line = self._dumps([kind, name, str(reason)[-2000:]]) + "\n"
        self._write(self._file, line.encode())

    def startTest(self, test):
        self.note("begin", test)

    def stopTest(self, test):
        self.note("end", test)

    def addSuccess(self, test):
        self.note("passed", test)

    def addError(self, test, error):
        self.note("error", test, self._exc_info_to_string(error, test))

    def addFailure(self, test, error):
        self.note("failed", test, self._exc_info_to_string(error, test))

    def addSubTest(self, test, subtest, error):
        if error is not None:  # noted for the test as a whole: parameters may be addresses
            self.addFailure(test, error)

    def addSkip(self, test, reason):
        self.note("skipped", test, reason)

    def addExpectedFailure(self, test, error):
        self.note("expected failure", test)

    def addUnexpectedSuccess(self, test):
        self.note("unexpected success", test)


def parts(module):
    """The module and the classes that are defined in it, nested ones too."""
    yield module
    waiting = [module]
    found = set()
    while waiting:
        for value in list(vars(waiting.pop()).values()):
            own = isinstance(value, type) and value.__module__ == module.__name__
            if own and value not in found:
                found.add(value)
                waiting.append(value)
                yield value


def modules_of(names):
    """The modules of these names, and the private ones in which a package has its code."""
    for name in names:
        yield importlib.import_module(name)
        for other in sorted(sys.modules):
            if other.startswith(f"{name}._"):
                yield sys.modules[other]


def copies(tests, names):
    """The modules of these names, and what the tests have imported a second time of them."""
    yield from modules_of(names)
    for value in list(vars(tests).values()):
        for module in value.values() if isinstance(value, dict) else [value]:
            if isinstance(module, types.ModuleType) and module.__name__ in names:
                yield module


def decorate(modules):
    from scope_profiler import ProfileManager

    for module in modules:
        before = dict(vars(module))
        for part in parts(module):
            name = module.__name__ + (f".{part.__qualname__}" if part is not module else "")
            # enum has kept its own __new__, and looks for it in the classes that it makes.
            ProfileManager.instrument(part, include=["*", "__*"], exclude="__new__", prefix=name)
        pass_on(module, before)


def pass_on(module, before):
    """What the package of a module has taken from it is decorated there, too."""
    package = sys.modules.get(module.__name__.rpartition(".")[0])
    for name, value in vars(module).items():
        if value is not before.get(name) and getattr(package, name, None) is before.get(name, package):
            setattr(package, name, value)


def functions(modules):
    for module in modules:
        for part in parts(module):
            for value in list(vars(part).values()):
                for found in (getattr(value, "__func__", value), getattr(value, "fget", None)):
                    own = isinstance(found, types.FunctionType)
                    if own and found.__module__ == module.__name__:
                        yield found


def watch(modules):
    from scope_profiler import ProfileManager

    return ProfileManager.profile_region("watched", functions=set(functions(modules)))


def registered(modules):
    """A LineProfiler of their functions. The run has one region: that it was on."""
    from scope_profiler import ProfileManager
    from scope_profiler.line_profiler import LineProfiler

    profiler = LineProfiler(*set(functions(modules)))
    stack = contextlib.ExitStack()
    stack.enter_context(ProfileManager.profile_region("registered"))
    stack.enter_context(profiler)
    return stack


def main(test, outcomes, *rest):
    how, names = rest[:1], rest[1:]
    from test import support

    support.use_resources = ()  # none of what takes long, network or a display
    support.verbose = False
    if how == ("--decorate",):
        decorate(modules_of(names))
    tests = importlib.import_module(f"test.{test}")
    if how == ("--decorate",):
        decorate(copies(tests, names))
    suite = unittest.defaultTestLoader.loadTestsFromModule(tests)
    result = Outcomes(outcomes)
    around = {("--watch",): watch, ("--register",): registered}.get(how)
    with around(copies(tests, names)) if around else contextlib.nullcontext():
        suite.run(result)
    result.note("all")


if __name__ == "__main__":
    main(*sys.argv[1:])
