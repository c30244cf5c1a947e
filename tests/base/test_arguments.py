"""_base/arguments.py: what each check keeps, and that what it refuses is said in one way."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from scope_profiler._base import arguments as checks

REFUSED = [
    (checks.boolean, "yes", TypeError, "x takes True or False, got str: 'yes'"),
    (checks.text, 3, TypeError, "x takes a str, got int: 3"),
    (checks.text_or_none, b"a", TypeError, "x takes a str or None, got bytes: b'a'"),
    (checks.path, "", ValueError, "x takes a path, got ''"),
    (checks.stream, 3, TypeError, "x takes a text file, got int: 3"),
    (checks.strings, 3, TypeError, "x takes a str or several, got int: 3"),
    (checks.one_of("a", "b"), "c", ValueError, "x takes 'a' or 'b', got 'c'"),
    (checks.integer, True, TypeError, "x takes an int, got bool: True"),
    (checks.integer, None, TypeError, "x takes an int, got NoneType: None"),
    (checks.integer, 2**63, ValueError, f"x takes an int of 64 bits, got {2**63}"),
    (checks.integer_or_none, 1.5, TypeError, "x takes an int, got float: 1.5"),
    (checks.whole(1), 0, ValueError, "x takes an int of at least 1, got 0"),
    (checks.whole(1), "1", TypeError, "x takes an int of at least 1, got str: '1'"),
    (checks.number, "1", TypeError, "x takes a number, got str: '1'"),
    (checks.number, True, TypeError, "x takes a number, got bool: True"),
    (checks.finite, float("inf"), ValueError, "x takes a finite number, got inf"),
    (checks.check_percentile, 101, ValueError, "x takes 0 to 100, got 101"),
    (checks.mapping, [], TypeError, "x takes a mapping, got list: []"),
    (checks.instance(dict), 3, TypeError, "x takes dict, got int: 3"),
    (checks.instance((int, str), "a name"), 3.5, TypeError, "x takes a name, got float: 3.5"),
    (checks.file_of, 3, TypeError, "x takes a path (str or os.PathLike), got int: 3"),
]


@pytest.mark.parametrize("check, value, error, message", REFUSED, ids=[row[3] for row in REFUSED])
def test_what_is_refused(check, value, error, message):
    with pytest.raises(error) as caught:
        check("x", value)
    assert str(caught.value) == message


@pytest.mark.parametrize("check, value, kept", [
    (checks.switch, None, False), (checks.boolean, np.True_, True),
    (checks.integer, np.int32(4), 4), (checks.integer_or_none, None, None),
    (checks.number, np.float32(0.5), 0.5), (checks.number, Fraction(1, 2), 0.5),
    (checks.number, np.int8(3), 3.0), (checks.mapping_or_none, None, {}),
    (checks.file_of, "a", Path("a")), (checks.strings, "ab", ("ab",)),
    (checks.text_or_none, None, None),
])
def test_what_is_kept(check, value, kept):
    assert check("x", value) == kept
    assert type(check("x", value)) is type(kept)


def test_names_of_files():
    assert checks.file_named("x", "a.JSON.gz", ".json", ".json.gz") == Path("a.JSON.gz")
    assert checks.file_named("x", "a", ".json") == Path("a")
    with pytest.raises(ValueError, match="^x takes a name in .json or .json.gz, got 'a.h5'$"):
        checks.file_named("x", "a.h5", ".json", ".json.gz")


def test_several():
    assert checks.several_of("x", iter([1, 2]), int) == [1, 2]
    with pytest.raises(TypeError, match="^x takes several int, got str: 'ab'$"):
        checks.several_of("x", "ab", int)
    with pytest.raises(TypeError, match="^x takes several int, got one of str: 'a'$"):
        checks.several_of("x", [1, "a"], int)
    assert checks.rank_set(None) is None
    assert checks.rank_set(3) == {3} and checks.rank_set([1, 1]) == {1}


def test_names_are_chosen_by_expressions():
    assert [*filter(checks.name_filter(None, None), "ab")] == ["a", "b"]
    assert [*filter(checks.name_filter(["a", "b"], "b"), "abc")] == ["a"]
    with pytest.raises(ValueError, match=r"^include takes regular expressions, got '\('"):
        checks.name_filter("(", None)


def test_it_depends_on_nothing_of_ours():
    assert "from ." not in Path(checks.__file__).read_text()
