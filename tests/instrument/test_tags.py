"""tags.py: switching regions on and off as groups."""

import pytest

import scope_profiler as sp
from scope_profiler import ProfileManager
from scope_profiler._instrument import tags


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    monkeypatch.setattr(tags, "_opt_in", set())
    monkeypatch.delenv("SCOPE_PROFILER_ENABLE_TAGS", raising=False)


def enter(manager, *names):
    for name in names:
        with manager.profile_region(name):
            pass


def recorded(manager):
    return set(manager.recorded_regions())


def fresh(**settings):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, **settings)
    return manager


def test_a_region_has_its_tags(manager):
    region = manager.profile_region("r", tags=["b", "a"])
    assert region.tags == ("b", "a") and manager.profile_region("r") is region
    assert manager.profile_region("r", tags=("b", "a")) is region
    assert manager.profile_region("one", tags="io").tags == ("io",)
    assert manager.profile_region("none").tags == () == manager.profile_region("none", tags=[]).tags
    with pytest.raises(ValueError, match=r"region 'r' has the tags \('b', 'a'\), not \('x',\)"):
        manager.profile_region("r", tags=["x"])


class Text(str):
    pass


@pytest.mark.parametrize("same", [
    ("fast", "io"), ["fast", "io"], ("".join(["fa", "st"]), "io"), (Text("fast"), "io"),
    {"fast": 1, "io": 2}, None,
], ids=repr)
def test_tags_that_are_known(manager, same):
    region = manager.profile_region("r", tags=["fast", "io"])
    for _ in range(3):
        assert manager.profile_region("r", tags=same) is region
        assert manager.profile_region("r", None, same) is region
        assert manager.profile_region(region_name="r", tags=same) is region
    assert region.tags == ("fast", "io") and all(type(tag) is str for tag in region.tags)


@pytest.mark.parametrize("different", [
    ("fast",), ["io", "fast"], ["fast", "io", "io"], (), "fast", "fast, io", ("fast", "iö"),
    ("fast", Text("i")),
], ids=repr)
def test_tags_that_are_others(manager, different):
    manager.profile_region("r", tags=["fast", "io"])
    for _ in range(3):
        with pytest.raises(ValueError, match=r"has the tags \('fast', 'io'\), not"):
            manager.profile_region("r", tags=different)


@pytest.mark.parametrize("known, given", [
    (["fast", "io"], ["fast", "io"]), (["fast", "io"], ("fast", "io")), ("io", "io"),
], ids=repr)
def test_tags_that_are_known_cost_no_python(manager, monkeypatch, known, given):
    region = manager.profile_region("r", tags=known)
    monkeypatch.setattr(type(manager), "_set_tags", None)
    assert manager.profile_region("r", tags=given) is region
    assert manager.profile_region("r", None, given) is region


def test_tags_reach_the_results(manager):
    with manager.profile_region("r", tags=["b", "a"]):
        pass
    results = manager.finalize(verbose=False, return_results=True)
    assert results["r"].tags == ("b", "a")


@pytest.mark.parametrize("when", ["before", "after"])
def test_region_tags_select(when):
    manager = ProfileManager()

    def make():
        manager.profile_region("a", tags=["x", "y"])
        manager.profile_region("b", tags=["z"])
        manager.profile_region("untagged")

    if when == "before":
        make()
    manager.setup(deactivate_file_output=True, region_tags=["y", "q"])
    make()
    work = manager.profile("decorated", tags=["q"])(lambda: 1)
    other = manager.profile("not", tags=["z"])(lambda: 1)
    work(), other()
    enter(manager, "a", "b", "untagged", "new")
    assert recorded(manager) == {"a", "decorated"}
    manager.setup(deactivate_file_output=True, replace=True)
    work(), other()
    enter(manager, "a", "b", "untagged")
    assert recorded(manager) == {"a", "b", "untagged", "decorated", "not"}


def test_opt_in_tags_need_enabling():
    manager = fresh()
    manager.profile_region("lib", tags=["lib"])
    enter(manager, "lib")
    ProfileManager.register_opt_in_tag("lib", "other")
    enter(manager, "lib", "mine")
    assert manager.get_region("lib").num_calls == 1  # from before it was opt-in
    assert manager.get_region("mine").num_calls == 1


@pytest.mark.parametrize("settings, records", [
    ({}, False),
    ({"enable_tags": ["lib"]}, True),
    ({"enable_tags": ["*"]}, True),
    ({"enable_tags": ["other"]}, False),
    ({"region_tags": ["lib"]}, True),
    ({"region_tags": ["second"]}, False),
    ({"region_tags": ["second"], "enable_tags": ["lib"]}, True),
])
def test_enabling(settings, records):
    sp.register_opt_in_tag("lib")
    manager = fresh(**settings)
    manager.profile_region("r", tags=["lib", "second"])
    enter(manager, "r")
    assert bool(manager.get_region("r").num_calls) == records


def test_the_environment_enables(monkeypatch):
    sp.register_opt_in_tag("lib")
    monkeypatch.setenv("SCOPE_PROFILER_ENABLE_TAGS", "x, lib")
    manager = fresh()
    manager.profile_region("r", tags=["lib"])
    enter(manager, "r")
    assert recorded(manager) == {"r"}


@pytest.mark.parametrize("wrong", [3, [3], [""], "", [None]])
def test_bad_tags(manager, wrong):
    for call in (
        lambda: manager.profile_region("r", tags=wrong),
        lambda: manager.region_factory("r", tags=wrong),
        lambda: manager.define_region("r", tags=wrong),
        lambda: manager.profile("r", tags=wrong),
    ):
        with pytest.raises(TypeError, match="tags takes non-empty str, one or several; got"):
            call()
    with pytest.raises(TypeError, match="tags takes non-empty str"):
        sp.register_opt_in_tag(wrong)


def test_generators_and_wrappers_follow(manager):
    sp.register_opt_in_tag("off")

    @manager.profile("g", tags=["off"])
    def generator():
        yield 1

    wrapped = manager.profile("len", tags=["off"])(len)
    assert list(generator()) == [1] and wrapped("abc") == 3
    assert recorded(manager) == set()


@pytest.mark.parametrize("bad", [
    {"tags": 3}, {"tags": ["fast", ""]}, {"functions": [len]}, {"tags": "fast", "functions": 3}])
def test_what_is_wrong_makes_no_region(manager, bad):
    with pytest.raises(TypeError):
        manager.profile_region("new", **bad)
    assert manager.get_region("new") is None
    assert manager.profile_region("new", tags=(tag for tag in ("a", "b"))).tags == ("a", "b")
