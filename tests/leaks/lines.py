"""Line mode keeps nothing of functions, regions and managers that are gone, from run to run. Run by
`make leaks`; exits non-zero when something grows."""

from regions import grows, main

from scope_profiler import ProfileManager
from scope_profiler._instrument.lines import watch

_SOURCE = """
def work(region, n):
    with region:
        m = n
    yield m
"""


def made_anew():
    names = {}
    exec(compile(_SOURCE, "<made>", "exec"), names)
    return names["work"]


def functions_that_die():
    manager = ProfileManager()

    def step():
        manager.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
        region, block = manager.region("region"), manager.region("block")
        for _ in range(300):
            function = made_anew()
            watch(region, [function])
            decorated = manager.profile("decorated")(function)
            with region:
                list(function(block, 1))
                list(decorated(block, 2))

    growth = grows(step)
    manager.reset()
    return growth


def managers_that_die():
    def function(n):
        return n

    def step():
        for _ in range(100):
            manager = ProfileManager()
            manager.setup(use_line_profiler=True, deactivate_file_output=True)
            for i in range(20):
                with manager.region(f"region {i}", functions=[function]):
                    manager.profile("decorated")(function)(function(1))
            manager.reset()

    return grows(step)


def generators_that_never_wake():
    manager = ProfileManager()

    def generate():
        with region:
            yield 1
            yield 2

    region = manager.region("region", functions=[generate])

    def step():
        manager.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
        for _ in range(5_000):
            with region:
                next(generate())

    growth = grows(step)
    manager.reset()
    return growth


if __name__ == "__main__":
    main(functions_that_die, managers_that_die, generators_that_never_wake)
