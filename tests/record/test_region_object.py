"""region.c: how long regions live, and threads that make, use and drop them."""

import gc
import subprocess
import sys
import weakref

import pytest

from conftest import NO_GIL
from scope_profiler import ProfileManager


def is_counted(thing):
    """Whether its references are."""
    before = sys.getrefcount(thing)
    held = [thing] * 100
    return sys.getrefcount(thing) - before == len(held)


def used_in_a_with(manager, name):
    """Every object that threads meet at when they enter a region by its name."""
    region = manager.profile_region(name)
    descriptors = [vars(kind).get(name) for kind in type(region).__mro__
                   for name in ("__enter__", "__exit__")]
    return [manager.profile_region, region, region.__enter__, region.__exit__,
            *filter(None, descriptors)]


def test_what_threads_share_is_not_counted_without_the_gil():
    used = used_in_a_with(ProfileManager, "shared")
    assert len(used) == 6
    assert [is_counted(each) for each in used] == [not NO_GIL] * 6


def test_a_region_made_by_decorating_is_not_counted_without_the_gil():
    def decorated():
        pass

    ProfileManager.profile("decorated for the process")(decorated)
    region = ProfileManager.get_region("decorated for the process")
    assert is_counted(region) != NO_GIL


def test_regions_of_another_manager_are_counted_and_go_with_it():
    manager = ProfileManager()
    used = used_in_a_with(manager, "shared")[:4]
    assert all(map(is_counted, used))
    gone = [weakref.ref(manager), weakref.ref(manager.profile_region("shared"))]
    del manager, used
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


def test_a_region_of_the_process_is_the_same_after_collections_and_resets():
    region = ProfileManager.profile_region("kept")
    for calls in range(1, 4):
        ProfileManager.setup(deactivate_file_output=True)
        for _ in range(calls):
            with ProfileManager.profile_region("kept") as entered:
                assert entered is region
        assert (region.name, region.num_calls) == ("kept", calls)
        ProfileManager.reset()
        gc.collect()


_THREADS = """
import gc, sys, threading
from scope_profiler import ProfileManager

manager = {manager}
options = dict(deactivate_file_output=True)
manager.setup(**options)

def use(name):
    with manager.profile_region(name) as region:  # made by one of the threads
        with region:
            pass
    enter, leave = region.__enter__, region.__exit__
    del region
    enter()
    leave(None, None, None)
    manager.profile(name)(lambda: None)()

done = threading.Event()
failed = []

def work(number):
    try:
        while not done.is_set():
            for i in range(40):
                use(f"name {{i}}")
                use(f"{{number}} {{i % 5}}")
    except BaseException as error:
        failed.append(error)

def run(target):
    threads = [threading.Thread(target=target, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    return threads

threads = run(work)
for i in range(30):
    manager.reset()
    manager.setup(**options)
    gc.collect()
    for i in range(40):
        manager.get_region(f"name {{i}}")
done.set()
for thread in threads:
    thread.join()

manager.setup(**options, replace=True)
region = manager.profile_region("counted")

@manager.profile("counted")
def decorated():
    pass

def count(number):
    for _ in range(2_000):
        with manager.profile_region("counted"):
            pass
        with region:
            pass
        decorated()

for thread in run(count):
    thread.join()
names = manager.registered_regions()
print(failed, region.num_calls, len(names) == len(set(names)),
      manager._counters()["open"], manager._counters()["lost"])
"""


@pytest.mark.parametrize("manager", ["ProfileManager._default", "ProfileManager()"])
def test_threads_make_use_and_drop_regions_while_others_reset(manager):
    done = subprocess.run([sys.executable, "-c", _THREADS.format(manager=manager)],
                          capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[] 24000 True 0 0\n", "")
