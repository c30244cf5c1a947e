"""src/base/names.c: regions by name, for many of them."""

import sys


def test_a_hundred_thousand_names(core):
    names = [f"region number {i}" for i in range(100_000)]
    regions = [core.profile_region(name) for name in names]
    assert len(set(map(id, regions))) == len(names)
    assert [r.name for r in core._regions()] == names
    assert all(core._find(name) is region for name, region in zip(names, regions))
    for region in regions:
        with region:
            pass
    assert core._counters()["calls"] == len(names)


def test_equal_names_in_different_objects_are_one_region(core):
    first = "".join(["a/b", " c"])
    second = "".join(["a/", "b c"])
    assert first is not second
    assert core.profile_region(first) is core.profile_region(second)


def test_name_cache_is_not_fooled_by_an_address_used_again(core):
    for i in range(5_000):
        name = str(i) + "x"  # freed at once, so that the next one may get its address
        assert core.profile_region(name).name == f"{i}x"
        del name


def test_names_are_text(core):
    for name in ("a/b", "über", "日本", "\N{SNAKE}", " ", "a\0b", "x" * 10_000):
        assert core.profile_region(name).name == name
        assert core._find(name) is core.profile_region(name)
    assert core.profile_region("a\0b") is not core.profile_region("a\0c")


def test_a_str_subclass_names_the_same_region(core):
    class Name(str):
        pass

    assert core.profile_region(Name("x")) is core.profile_region("x")
    assert type(core.profile_region(Name("y")).name) is str


def test_references_to_names_are_balanced(core):
    name = "".join(["some", " name"])
    core.profile_region("other")
    before = sys.getrefcount(name)
    for _ in range(1000):
        core.profile_region(name)
    assert sys.getrefcount(name) <= before + 2
