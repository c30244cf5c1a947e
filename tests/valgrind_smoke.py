"""A short tour through the C, for `make valgrind`."""

import gc

from scope_profiler import ProfileManager


def test_tour():
    manager = ProfileManager()

    @manager.profile("f")
    def f(n):
        return sum(range(n))

    @manager.profile("g")
    def g(n):
        for i in range(n):
            yield i

    for lines in (False, True):
        manager.setup(replace=True, deactivate_file_output=True, use_line_profiler=lines)
        for i in range(40):
            with manager.profile_region(f"region {i % 7}"):
                f(3)
                list(g(2))
        manager.get_region("f").get_stats()
        manager._events(None)
        manager._collect(None)
    manager.reset()
    del f, g, manager
    gc.collect()
