"""line_profiler/lprof.py: files of line_profiler are read without being executed, and written so that
its own tools read them."""

import pickle
import pickletools
import sys
from types import ModuleType

from hypothesis import example, given, strategies as st
import pytest

from scope_profiler.io import CorruptProfileError
from scope_profiler.line_profiler import LineStats, lprof

TIMINGS = {
    ("/home/ada/prögramm.py", 3, "Engine.run.<locals>.step"): [(4, 1, 17), (5, 2**40, 2**62), (9, 2, 2.5)],
    ("<string>", 1, "f"): [],
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.lprof"


def pickled(state, protocol, name="line_profiler.line_profiler LineStats"):
    """As line_profiler pickles it. Its module, which need not be here, is there meanwhile, for pickle
    looks."""
    module, _, attribute = name.partition(" ")
    made = type(attribute, (), {"__module__": module})()
    vars(made).update(state)
    parts = module.split(".")
    modules = {".".join(parts[:end]): ModuleType(module) for end in range(1, len(parts) + 1)}
    setattr(modules[module], attribute, type(made))
    with pytest.MonkeyPatch.context() as patch:
        for each in modules:
            patch.setitem(sys.modules, each, modules[each])
        return pickle.dumps(made, protocol)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", [
    "line_profiler.line_profiler LineStats", "line_profiler._line_profiler LineStats",
    "line_profiler LineStats", "_line_profiler LineStats"])
def test_files_of_all_versions_are_read(path, protocol, name):
    path.write_bytes(pickled({"timings": TIMINGS, "unit": 1e-6}, protocol, name))
    assert LineStats.from_files(path) == LineStats(TIMINGS, 1e-6)


def test_a_file_of_python_2_is_read(path):
    path.write_bytes(
        b"\x80\x02c_line_profiler\nLineStats\nq\x01)\x81q\x02}q\x03(U\x04unitq\x04G>\xb0\xc6\xf7\xa0\xb5\xed\x8d"
        b"U\x07timingsq\x05}q\x06U\x04a.pyq\x07K\x01U\x01f\x87q\x08]q\t(K\x02K\x03\x8a\x01\x04\x87q\n"
        b"K\x05J@B\x0f\x00I1000000000000\n\x87q\x0besub.")
    assert LineStats.from_files(path) == LineStats(
        {("a.py", 1, "f"): [(2, 3, 4), (5, 10**6, 10**12)]}, 1e-6)


def test_what_is_written_is_read(path):
    LineStats(TIMINGS, 1e-9).to_file(path)
    assert LineStats.from_files(path) == LineStats(TIMINGS, 1e-9)
    named = [argument for _, argument, _ in pickletools.genops(path.read_bytes())
             if type(argument) is str and "profiler" in argument]
    assert named == ["line_profiler.line_profiler LineStats"]


def test_a_failed_write_leaves_the_old_file(path, monkeypatch):
    LineStats(TIMINGS, 1e-9).to_file(path)
    before = path.read_bytes()
    with pytest.raises((pickle.PicklingError, AttributeError)):
        LineStats({("a", 1, "f"): [(1, 2, lambda: 3)]}, 1e-9).to_file(path)
    assert path.read_bytes() == before and [*path.parent.iterdir()] == [path]


# ---- Files from elsewhere

RAN = []


class Runs:
    """A pickle of it calls something as it is loaded."""

    def __reduce__(self):
        return RAN.append, ("ran",)


def calling(module, name):
    """What would call a function by its name, in every way that pickles have."""
    named = f"c{module}\n{name}\n".encode()
    stacked = b"\x8c" + bytes([len(module)]) + module.encode() + b"\x8c" + bytes([len(name)]) + name.encode()
    argument = b"X\x04\x00\x00\x00echo"
    yield b"\x80\x02" + named + argument + b"\x85R."
    yield b"\x80\x04" + stacked + b"\x93" + argument + b"\x85R."
    yield b"\x80\x02" + named + argument + b"\x85\x81."
    yield b"\x80\x04" + named + argument + b"\x85}\x92."
    yield b"(i" + named[1:] + b"."
    yield b"(" + named + argument + b"o."
    yield b"\x80\x02cline_profiler.line_profiler\nLineStats\n)\x81" + named + b"b."
    yield b"\x80\x02cline_profiler.line_profiler\nLineStats\n" + argument + b"\x85R."
    yield b"\x80\x02\x82\x01."
    yield b"Pid\n."
    yield argument + b"Q."


@pytest.mark.parametrize("module, name", [
    ("os", "system"), ("builtins", "eval"), ("__builtin__", "eval"), ("builtins", "getattr"),
    ("line_profiler.line_profiler", "LineStats.from_files"), ("line_profiler", "main"),
    ("scope_profiler.line_profiler", "LineStats"), ("copyreg", "_reconstructor")])
def test_nothing_is_executed(path, module, name):
    for data in calling(module, name):
        path.write_bytes(data)
        with pytest.raises(CorruptProfileError, match="cannot read .*x.lprof: it "):
            LineStats.from_files(path)


def test_nothing_of_a_hidden_call_is_executed(path):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for state in ({"timings": Runs(), "unit": 1}, {"timings": {}, "unit": Runs()},
                      {"timings": {}, "unit": 1, "more": Runs()}):
            path.write_bytes(pickled(state, protocol))
            with pytest.raises(CorruptProfileError):
                LineStats.from_files(path)
    assert RAN == []


@pytest.mark.parametrize("state, why", [
    ({"timings": {}}, "unit"),
    ({"timings": {}, "unit": 0}, "unit"),
    ({"timings": {}, "unit": float("nan")}, "unit"),
    ({"timings": {}, "unit": 10**5000}, "unit"),
    ({"timings": [], "unit": 1e-9}, "timings"),
    ({"timings": {"f": []}, "unit": 1e-9}, "timings"),
    ({"timings": {("a", "b", "c"): []}, "unit": 1e-9}, "key"),
    ({"timings": {("a", 1, "c"): {}}, "unit": 1e-9}, "timings"),
    ({"timings": {("a", 1, "c"): [(1, 2)]}, "unit": 1e-9}, "timings"),
    ({"timings": {("a", 1, "c"): [(1, 2, float("inf"))]}, "unit": 1e-9}, "timings"),
    ({"timings": {("a", 1, "c"): [(1, 2, 2**63)]}, "unit": 1e-9}, "timings"),
])
def test_what_is_no_line_stats_is_refused(path, state, why):
    path.write_bytes(pickled(state, 4))
    with pytest.raises(CorruptProfileError, match=why):
        LineStats.from_files(path)


def test_what_would_harm_an_unpickler_is_refused(path):
    state = b"\x80\x02cline_profiler.line_profiler\nLineStats\n)\x81}"
    for data in (
        b"\x80\x02Nr\xff\xff\xff\xff.",  # memory for 2**32 entries
        b"\x80\x05\x96" + b"\xff" * 7 + b"\x7f.",  # a bytearray of 2**63 bytes
        b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.",  # as many bytes
        state + b")" + b"\x85" * 200_000 + b"K\x01s.",  # a key that is nested deeply
        state + b"]q\x00h\x00a.",  # a list that holds itself
        b"(" * 100_000 + b".",
    ):
        path.write_bytes(data)
        with pytest.raises(CorruptProfileError):
            LineStats.from_files(path)


SOUND = lprof.dumped({("a.py", 1, "f"): [(2, 3, 4), (5, 6, 7.5)], ("b.py", 10**6, "g"): []}, 1e-9)


def read_or_refused(path, data):
    path.write_bytes(data)
    try:
        stats = LineStats.from_files(path)
    except CorruptProfileError:
        return None
    return stats


@pytest.mark.parametrize("kept", range(len(SOUND)))
def test_truncated_files_are_refused(path, kept):
    assert read_or_refused(path, SOUND[:kept]) is None


@given(st.binary())
def test_garbage_is_refused(tmp_path_factory, data):
    assert read_or_refused(tmp_path_factory.getbasetemp() / "garbage.lprof", data) is None


@given(st.integers(0, len(SOUND) - 1), st.binary(min_size=1, max_size=3))
@example(0, b"(")
def test_damaged_files_are_read_or_refused(tmp_path_factory, place, put):
    data = SOUND[:place] + put + SOUND[place + len(put):]
    read_or_refused(tmp_path_factory.getbasetemp() / "damaged.lprof", data)


def test_what_cannot_be_opened(path):
    with pytest.raises(FileNotFoundError):
        LineStats.from_files(path)
    with pytest.raises(IsADirectoryError):
        LineStats.from_files(path.parent)
