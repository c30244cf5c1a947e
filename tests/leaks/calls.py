"""References and memory stay flat while every function is traced. Run by `make leaks`; exits non-zero
when something grows."""

import gc
import sys

from regions import grows, main

from scope_profiler import ProfileManager, calls


def leaf():
    pass


def fails():
    raise ValueError


def numbers(n):
    yield from range(n)


def new_manager():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, aggregation_mode=True)
    return manager


def traced_calls():
    manager = new_manager()

    def step():
        for _ in range(30_000):
            leaf()
            list(numbers(2))
            next(numbers(2))
            try:
                fails()
            except ValueError:
                pass

    with calls.tracing(manager):
        objects = [manager, leaf.__code__, numbers.__code__, None]
        step()
        before = [sys.getrefcount(o) for o in objects]
        step()
        after = [sys.getrefcount(o) for o in objects]
        assert all(b <= a + 3 for a, b in zip(before, after)), (before, after)
        return grows(step)


def code_that_comes_and_goes():
    manager = new_manager()

    def step():
        for i in range(3_000):
            namespace = {"__name__": "made"}
            exec(compile(f"def f{i % 10}(): yield", "made.py", "exec"), namespace)
            list(namespace[f"f{i % 10}"]())

    with calls.tracing(manager):
        return grows(step)


def starts_and_stops():
    def step():
        for i in range(300):
            manager = new_manager()
            calls.start(manager)
            leaf()
            asleep = numbers(2)
            next(asleep)
            if i % 3:
                calls.stop(manager)
            del manager, asleep
        gc.collect()

    return grows(step)


def recursive_decorations():
    def step():
        manager = ProfileManager()
        for i in range(300):
            entry = manager.profile("entry", recursive=True)(lambda: [leaf(), *numbers(2)])
            manager.setup(replace=True, deactivate_file_output=True, aggregation_mode=True)
            entry()
            manager.reset()

    return grows(step)


if __name__ == "__main__":
    main(traced_calls, code_that_comes_and_goes, starts_and_stops, recursive_decorations)
